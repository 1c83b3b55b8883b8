#pragma once
// Worker: the conversation on stdin and stdout, one JSON object a line (docs/worker_protocol.md).
//
// Requests are compiled in many threads, ahead of the one that judges and times them in their order. Where a
// device is timed on this very machine (cpu), that one waits until nothing is being compiled; on a GPU
// compiling goes on meanwhile.

#include <istream>
#include <ostream>

#include "core/worker/preparing.hpp"

namespace kevolve {

class Worker {
 public:
  /// `compilers`: threads that compile.
  Worker(Evaluator& evaluator, std::istream& in, std::ostream& out, std::size_t compilers)
      : evaluator_(evaluator), in_(in), out_(out), compilers_(compilers) {}

  /// Says hello, then answers until the input ends and all is answered. An error when no device could be
  /// opened, or when nobody reads the replies any more.
  Result<void> serve(const std::vector<std::string>& devices);

 private:
  Result<void> say_hello(const std::vector<std::string>& devices);
  /// Reads requests and starts to prepare them.
  void begin(const std::vector<std::string>& lines);
  /// Answers the oldest.
  void finish_one();
  void reply(const WorkerReply& reply);

  /// A request in the order of arrival: an evaluation on its way, or an answer to give as it stands.
  struct Pending {
    std::shared_ptr<Prepared> evaluation;
    std::optional<AdmitRequest> admission;
    std::optional<ErrorReply> error;
  };

  Evaluator& evaluator_;
  std::istream& in_;
  std::ostream& out_;
  std::size_t compilers_;
  std::deque<Pending> pending_;
  std::optional<Preparing> preparing_;
};

}  // namespace kevolve
