#pragma once
// Worker: the conversation on stdin and stdout, one JSON object a line (docs/worker_protocol.md).
//
// Several threads compile requests ahead, and one judges and times them in their order. Where a device is
// timed on this machine (cpu), that thread first waits for all compilations; on a GPU they continue
// meanwhile.

#include <istream>
#include <ostream>

#include "core/worker/preparing.hpp"

namespace kevolve::worker {

class Worker {
 public:
  /// `compilers`: threads that compile.
  Worker(Evaluator& evaluator, std::istream& in, std::ostream& out, std::size_t compilers)
      : evaluator_(evaluator), in_(in), out_(out), compilers_(compilers) {}

  /// Says hello, then answers every request until the input ends. Fails when no device could be opened, or
  /// when nobody reads the replies.
  Result<void> serve(const std::vector<std::string>& devices);

 private:
  Result<void> say_hello(const std::vector<std::string>& devices);
  /// Reads requests and starts to prepare them.
  void begin(const std::vector<std::string>& lines);
  /// Answers the oldest.
  void finish_one();
  void reply(const WorkerReply& reply);

  /// A request, in the order of arrival: an evaluation that is being prepared, an admission, or an error.
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

}  // namespace kevolve::worker
