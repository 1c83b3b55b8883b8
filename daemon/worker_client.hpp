#pragma once
// WorkerClient: one `kevolve-worker` child and the conversation with it (docs/worker_protocol.md). A launcher
// is an argv prefix: nothing for a local worker, "srun --gres=gpu:1", "ssh host", "docker run -i --gpus all
// …".
//
// A worker that dies is started again and gets its unanswered requests once more; a request that has met two
// deaths is answered with an error. Belongs to the thread of its io_context.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"

namespace kevolve {

struct WorkerCommand {
  std::vector<std::string> argv;  ///< launcher prefix, program, arguments
  std::filesystem::path log;      ///< the worker's stderr is appended here; empty: inherited
};

class WorkerClient : public std::enable_shared_from_this<WorkerClient> {
 public:
  /// Starts the child and waits for its hello; an error names the command, the log and what the worker last
  /// said.
  static boost::asio::awaitable<Result<std::shared_ptr<WorkerClient>>> start(boost::asio::io_context& io,
                                                                             WorkerCommand command);
  WorkerClient(boost::asio::io_context& io, WorkerCommand command);
  ~WorkerClient();
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  [[nodiscard]] const Hello& hello() const { return hello_; }
  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }
  [[nodiscard]] int deaths() const { return deaths_; }
  [[nodiscard]] pid_t process_id() const { return child_; }

  /// Sends a request under a fresh id and waits for its reply. The deadline counts from the last sign of life
  /// of the worker while requests are queued before this one; past it, the worker is killed and replaced.
  boost::asio::awaitable<Result<WorkerReply>> request(WorkerRequest request, std::chrono::seconds deadline);

  /// Ends the child: closes its stdin, then kills it. All waiting requests are answered with an error.
  void stop(const std::string& why);

 private:
  struct Pending {
    std::string line;
    boost::asio::steady_timer timer;
    std::optional<Result<WorkerReply>> reply;
    int deaths = 0;
  };

  Result<void> spawn();
  void reap();
  void send(std::string line);
  void fail_all(const std::string& why);
  void on_death(const std::string& why);
  void on_line(const std::string& line);
  boost::asio::awaitable<void> read_lines(std::shared_ptr<WorkerClient> self, int generation);
  boost::asio::awaitable<void> write_lines(std::shared_ptr<WorkerClient> self, int generation);

  boost::asio::io_context& io_;
  WorkerCommand command_;
  boost::asio::posix::stream_descriptor stdin_, stdout_;
  boost::asio::steady_timer hello_timer_;
  pid_t child_ = -1;
  int generation_ = 0;  ///< counts children: coroutines of a dead one stop by themselves
  int deaths_ = 0;
  bool stopped_ = false;
  bool writing_ = false;
  std::optional<Error> start_error_;
  Hello hello_;
  bool has_hello_ = false;
  std::deque<std::string> outgoing_;
  std::map<std::string, std::shared_ptr<Pending>> pending_;
  std::uint64_t next_id_ = 1;
  std::chrono::steady_clock::time_point last_life_{};
};

}  // namespace kevolve
