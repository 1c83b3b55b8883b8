#pragma once
// Worker: the conversation on stdin and stdout, one JSON object a line (docs/worker_protocol.md).
//
// All requests that wait are taken as a batch: first they are all compiled, in as many threads as there are
// cores; then, with nothing else running, they are judged and timed one after the other.

#include <istream>
#include <ostream>

#include "core/worker/evaluator.hpp"

namespace kevolve {

class Worker {
 public:
  Worker(Evaluator& evaluator, std::istream& in, std::ostream& out)
      : evaluator_(evaluator), in_(in), out_(out) {}

  /// Says hello, then answers until the input ends and all is answered. An error when no device could be
  /// opened, or when nobody reads the replies any more.
  Result<void> serve(const std::vector<std::string>& devices);

 private:
  Result<void> say_hello(const std::vector<std::string>& devices);
  void answer(const std::vector<std::string>& lines);
  void reply(const WorkerReply& reply);

  Evaluator& evaluator_;
  std::istream& in_;
  std::ostream& out_;
};

}  // namespace kevolve
