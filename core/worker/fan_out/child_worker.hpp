#pragma once
// ChildWorker: one worker process of several, and the three pipes to it. It ends with its owner, and with
// this program, however that ends. Belongs to one thread, which waits with poll().

#include <poll.h>

#include <optional>
#include <string>
#include <vector>

#include "core/process/child.hpp"
#include "core/worker/fan_out/streams.hpp"

namespace kevolve::fan_out {

struct ChildPlan {
  std::string mark;                      ///< "gpu=3": in messages, and behind each line of its log
  std::vector<std::string> argv;         ///< of a worker (docs/worker_protocol.md)
  std::vector<std::string> environment;  ///< "NAME=value", the whole of it
};

class ChildWorker {
 public:
  static Result<ChildWorker> start(const ChildPlan& plan);

  void send(std::string_view line) { to_.add(line); }
  /// The child ends when it has answered all requests.
  void end_input() { in_.reset(); }

  struct News {
    std::vector<std::string> lines;  ///< of its output
    std::optional<int> exit_code;    ///< it has ended, and there is no more
  };
  /// Writes and reads as much as it can without waiting. The child's log goes to our stderr.
  News serve();
  /// Adds the descriptors that are worth waiting for.
  void add_to(std::vector<pollfd>& polls) const;

 private:
  explicit ChildWorker(std::string mark, process::Child process)
      : mark_(std::move(mark)), process_(std::move(process)) {}
  void pass_on(const std::vector<std::string>& log) const;

  std::string mark_;
  process::Child process_;
  process::UniqueFd in_, out_, err_;
  Outgoing to_;
  Incoming from_, log_;
};

}  // namespace kevolve::fan_out
