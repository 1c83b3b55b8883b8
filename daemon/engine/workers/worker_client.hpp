#pragma once
// WorkerClient: one `kevolve-worker` child from its start to its end, and the conversation with it
// (docs/worker_protocol.md). A launcher is an argv prefix: nothing for a local worker, "srun --gres=gpu:1",
// "ssh host", "docker run -i --gpus all …".
//
// It does not start a child again that ended: its pool does. Belongs to the thread of its io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/model/worker_protocol.hpp"
#include "daemon/engine/workers/worker_process.hpp"

namespace kevolve::engine {

/// The worker ended before it answered.
struct WorkerLoss {
  std::string why;
  bool suspect = false;  ///< this was its oldest unanswered request: the one that it worked on
};

class WorkerClient : public std::enable_shared_from_this<WorkerClient> {
 public:
  /// Starts the child and waits for its hello; an error names the command, the log and what the worker last
  /// said. `killed`, where given, becomes true when somebody killed the worker, which says nothing of the
  /// next one.
  static boost::asio::awaitable<Result<std::shared_ptr<WorkerClient>>> start(boost::asio::io_context& io,
                                                                             WorkerCommand command,
                                                                             std::chrono::seconds deadline,
                                                                             bool* killed = nullptr);
  static constexpr std::chrono::seconds kStartDeadline{60};  ///< for a machine that need not be waited for
  WorkerClient(boost::asio::io_context& io, WorkerCommand command);
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  [[nodiscard]] const Hello& hello() const { return *hello_; }
  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }
  [[nodiscard]] std::int64_t answered() const { return answered_; }
  [[nodiscard]] pid_t process_id() const { return process_ ? process_->id() : -1; }
  [[nodiscard]] bool ended() const { return end_reason_.has_value(); }

  /// Called once, when the child ends other than by stop(): with the reason.
  void on_end(std::function<void(const std::string& why)> handler) { on_end_ = std::move(handler); }

  /// Sends a request under a fresh id and waits for its reply. The deadline counts from the last sign of life
  /// of the worker while other requests are queued before this one; past it, the client kills the worker.
  boost::asio::awaitable<tl::expected<WorkerReply, WorkerLoss>> request(WorkerRequest request,
                                                                        std::chrono::seconds deadline);

  /// Ends the child and all of its process group, which has EndingGroup::kGrace for it. All requests that
  /// wait are lost.
  void stop(const std::string& why);

 private:
  struct Pending {
    boost::asio::steady_timer timer;
    std::optional<tl::expected<WorkerReply, WorkerLoss>> reply;
  };

  Result<void> spawn();
  void end(const std::string& why);
  void on_line(const std::string& line);
  void greet(const Hello& hello);

  boost::asio::io_context& io_;
  const WorkerCommand command_;
  std::shared_ptr<WorkerProcess> process_;
  std::optional<Hello> hello_;
  boost::asio::steady_timer hello_timer_;
  bool killed_ = false;
  std::optional<std::string> end_reason_;
  std::function<void(const std::string&)> on_end_;
  std::map<std::uint64_t, std::shared_ptr<Pending>> pending_;  ///< in the order sent
  std::uint64_t next_id_ = 1;
  std::int64_t answered_ = 0;
  std::chrono::steady_clock::time_point last_life_{};
};

}  // namespace kevolve::engine
