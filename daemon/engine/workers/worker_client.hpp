#pragma once
// WorkerClient: one `kevolve-worker` child from its start to its end, and the conversation with it
// (docs/worker_protocol.md). A launcher is an argv prefix: nothing for a local worker, "srun --gres=gpu:1",
// "ssh host", "docker run -i --gpus all …".
//
// A child that ends is not started again here: its pool does that. Belongs to the thread of its io_context.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"
#include "daemon/engine/workers/ending_group.hpp"

namespace kevolve {

struct WorkerCommand {
  std::vector<std::string> argv;  ///< launcher prefix, program, arguments
  std::filesystem::path log;      ///< the worker's stderr is appended here; empty: inherited
};

/// The command of the pool's worker of that number: "{worker}" in its words becomes the number, from 0.
WorkerCommand numbered(WorkerCommand command, int number);

/// The worker ended before it answered.
struct WorkerLoss {
  std::string why;
  bool suspect = false;  ///< this was its oldest unanswered request: what it worked on
};

class WorkerClient : public std::enable_shared_from_this<WorkerClient> {
 public:
  /// Starts the child and waits for its hello; an error names the command, the log and what the worker last
  /// said. `killed`, where given, becomes true when somebody killed it, which says nothing of the next one.
  static boost::asio::awaitable<Result<std::shared_ptr<WorkerClient>>> start(boost::asio::io_context& io,
                                                                             WorkerCommand command,
                                                                             std::chrono::seconds deadline,
                                                                             bool* killed = nullptr);
  static constexpr std::chrono::seconds kStartDeadline{60};  ///< for a machine that need not be waited for
  WorkerClient(boost::asio::io_context& io, WorkerCommand command);
  ~WorkerClient();
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  [[nodiscard]] const Hello& hello() const { return hello_; }
  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }
  [[nodiscard]] std::int64_t answered() const { return answered_; }
  [[nodiscard]] pid_t process_id() const { return child_; }
  [[nodiscard]] bool ended() const { return ended_; }

  /// Called once, when the child ends other than by stop(): with the reason.
  void on_end(std::function<void(const std::string& why)> handler) { on_end_ = std::move(handler); }

  /// Sends a request under a fresh id and waits for its reply. The deadline counts from the last sign of life
  /// of the worker while requests are queued before this one; past it, the worker is killed.
  boost::asio::awaitable<tl::expected<WorkerReply, WorkerLoss>> request(WorkerRequest request,
                                                                        std::chrono::seconds deadline);

  /// Ends the child and all of its process group, which has EndingGroup::kGrace for it. All waiting requests
  /// are lost.
  void stop(const std::string& why);

 private:
  struct Pending {
    std::string line;
    boost::asio::steady_timer timer;
    std::optional<tl::expected<WorkerReply, WorkerLoss>> reply;
  };

  Result<void> spawn();
  void end_child(EndingGroup::Leader state);
  void send(const std::string& line);
  void end(const std::string& why);
  void on_line(const std::string& line);
  static boost::asio::awaitable<void> read_lines(std::shared_ptr<WorkerClient> self);
  static boost::asio::awaitable<void> write_lines(std::shared_ptr<WorkerClient> self);

  boost::asio::io_context& io_;
  WorkerCommand command_;
  boost::asio::posix::stream_descriptor stdin_, stdout_;
  boost::asio::steady_timer hello_timer_;
  pid_t child_ = -1;
  bool ended_ = false, writing_ = false, has_hello_ = false, killed_ = false;
  std::string end_reason_;
  std::function<void(const std::string&)> on_end_;
  Hello hello_;
  std::deque<std::string> outgoing_;
  std::map<std::uint64_t, std::shared_ptr<Pending>> pending_;  ///< in the order sent
  std::uint64_t next_id_ = 1;
  std::int64_t answered_ = 0;
  std::chrono::steady_clock::time_point last_life_{};
};

}  // namespace kevolve
