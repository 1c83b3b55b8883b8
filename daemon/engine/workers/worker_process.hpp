#pragma once
// WorkerProcess: a worker's child process, and lines to and from it. It knows nothing of what they say.
//
// Handlers are called in the thread of the io_context, to which all belongs. Its process group has
// EndingGroup::kGrace to end, also where the last owner lets go of it.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/text/result.hpp"
#include "daemon/engine/workers/ending_group.hpp"

namespace kevolve::engine {

struct WorkerCommand {
  std::vector<std::string> argv;  ///< launcher prefix, program, arguments
  std::filesystem::path log;      ///< the worker's stderr is appended here; empty: inherited
};

/// The command of the pool's worker of that number: "{worker}" in its words becomes the number, from 0.
WorkerCommand numbered(WorkerCommand command, int number);
std::string in_words(const WorkerCommand& command);

class WorkerProcess : public std::enable_shared_from_this<WorkerProcess> {
 public:
  struct Handlers {
    std::function<void(const std::string& line)> line;
    /// Its output has ended: at most once, and not after end(). `killed`: somebody sent it SIGKILL.
    std::function<void(const std::string& why, bool killed)> ended;
  };
  /// Handlers are called from the next turn of the loop on.
  static Result<std::shared_ptr<WorkerProcess>> start(boost::asio::io_context& io,
                                                      const WorkerCommand& command, Handlers handlers);
  WorkerProcess(boost::asio::io_context& io, pid_t child, int to_child, int from_child, Handlers handlers);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  [[nodiscard]] pid_t id() const { return child_; }  ///< -1: it has ended
  void send(const std::string& line);
  /// Closes its pipes and ends its process group.
  void end();

 private:
  static boost::asio::awaitable<void> read_lines(std::shared_ptr<WorkerProcess> self);
  static boost::asio::awaitable<void> write_lines(std::shared_ptr<WorkerProcess> self);
  void output_ended();
  void see_off_group(EndingGroup::Leader state);

  boost::asio::io_context& io_;
  pid_t child_;
  boost::asio::posix::stream_descriptor stdin_, stdout_;
  Handlers handlers_;
  std::deque<std::string> outgoing_;
  bool writing_ = false, ended_ = false;
};

}  // namespace kevolve::engine
