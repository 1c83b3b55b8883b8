#include "core/worker/worker.hpp"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "core/process/log.hpp"
#include "core/process/stopwatch.hpp"
#include "core/worker/line_queue.hpp"

namespace kevolve::worker {
namespace {

/// Requests that are read before the first of them is answered.
constexpr std::size_t kAhead = 256;

WorkerReply finish(Evaluator& evaluator, const EvaluateRequest& request, Result<Trial> prepared) {
  const process::Stopwatch watch;
  if (!prepared) return ErrorReply{request.id, prepared.error().message};
  auto evaluation = evaluator.finish(std::move(*prepared));
  if (!evaluation) return ErrorReply{request.id, evaluation.error().message};
  process::log_line("evaluated", {{"id", request.id},
                                  {"device", request.device},
                                  {"workload", request.workload},
                                  {"outcome", std::string(name(evaluation->verdict.outcome))},
                                  {"gate", std::string(name(evaluation->verdict.gate))},
                                  {"ms", fmt::format("{:.0f}", watch.milliseconds())}});
  return EvaluationReply{request.id, std::move(*evaluation)};
}

WorkerReply admit(Evaluator& evaluator, const AdmitRequest& request) {
  auto reply = evaluator.admit(request);
  if (!reply) return ErrorReply{request.id, reply.error().message};
  process::log_line("admission", {{"id", request.id}, {"admitted", reply->admitted ? "true" : "false"}});
  return *reply;
}

}  // namespace

Result<void> Worker::serve(const std::vector<std::string>& devices) {
  if (auto said = say_hello(devices); !said) return said;
  LineQueue queue(in_);
  preparing_.emplace(evaluator_, compilers_);
  while (true) {
    begin(queue.take(kAhead - std::min(kAhead, pending_.size()), pending_.empty()));
    if (pending_.empty()) break;
    finish_one();
  }
  preparing_.reset();
  if (!out_) return failure("stdout: the replies could not be written; somebody must read them");
  return {};
}

Result<void> Worker::say_hello(const std::vector<std::string>& devices) {
  Hello hello;
  hello.version = KEVOLVE_VERSION;
  std::string errors;
  for (const std::string& name : devices) {
    const auto device = evaluator_.device(name);
    if (device) {
      hello.devices.push_back((*device)->info());
    } else {
      process::log_line("device_unavailable", {{"device", name}, {"reason", device.error().message}});
      errors += "\n" + device.error().message;
    }
  }
  if (hello.devices.empty()) return failure("no device could be opened:" + errors);
  reply(hello);
  return {};
}

void Worker::begin(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    Result<WorkerRequest> request = request_from_line(line);
    Pending& pending = pending_.emplace_back();
    if (!request) {
      process::log_line("bad_request", {{"reason", request.error().message}});
      pending.error = ErrorReply{id_in(line), request.error().message};
    } else if (auto* evaluate = std::get_if<EvaluateRequest>(&*request)) {
      pending.evaluation = preparing_->submit(std::move(*evaluate));
    } else {
      pending.admission = std::get<AdmitRequest>(std::move(*request));
    }
  }
}

void Worker::finish_one() {
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (pending.error) return reply(*pending.error);
  if (pending.admission) return reply(admit(evaluator_, *pending.admission));
  auto prepared = preparing_->take(*pending.evaluation);
  if (prepared && prepared->device->times_on_host()) preparing_->wait_for_all();
  reply(finish(evaluator_, pending.evaluation->request, std::move(prepared)));
}

void Worker::reply(const WorkerReply& reply) {
  out_ << to_line(reply) << '\n' << std::flush;
}

}  // namespace kevolve::worker
