#include "core/worker/worker.hpp"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "core/model/stopwatch.hpp"
#include "core/worker/line_queue.hpp"
#include "core/worker/log.hpp"

namespace kevolve {
namespace {

std::size_t cores() {
  return std::max(1u, std::thread::hardware_concurrency());
}

/// The id that a line's sender would look for, even if the rest of the line is wrong.
std::string id_of(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) return "";
  return json["id"].get<std::string>();
}

/// Prepares every evaluation of a batch; the slots of other requests stay empty.
std::vector<std::optional<Result<PreparedEvaluation>>> prepare_all(
    Evaluator& evaluator, const std::vector<Result<WorkerRequest>>& requests) {
  std::vector<std::optional<Result<PreparedEvaluation>>> prepared(requests.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < requests.size(); i = next++) {
      if (!requests[i]) continue;
      if (const auto* evaluate = std::get_if<EvaluateRequest>(&*requests[i]))
        prepared[i] = evaluator.prepare(*evaluate);
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t t = 1; t < std::min(cores(), requests.size()); ++t) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return prepared;
}

WorkerReply finish(Evaluator& evaluator, const EvaluateRequest& request,
                   Result<PreparedEvaluation> prepared) {
  const Stopwatch watch;
  if (!prepared) return ErrorReply{request.id, prepared.error().message};
  auto evaluation = evaluator.finish(request, std::move(*prepared));
  if (!evaluation) return ErrorReply{request.id, evaluation.error().message};
  log_line("evaluated", {{"id", request.id},
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
  log_line("admission", {{"id", request.id}, {"admitted", reply->admitted ? "true" : "false"}});
  return *reply;
}

}  // namespace

Result<void> Worker::serve(const std::vector<std::string>& devices) {
  if (auto said = say_hello(devices); !said) return said;
  LineQueue queue(in_);
  for (auto lines = queue.take(4 * cores()); !lines.empty(); lines = queue.take(4 * cores())) answer(lines);
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
      log_line("device_unavailable", {{"device", name}, {"reason", device.error().message}});
      errors += "\n" + device.error().message;
    }
  }
  if (hello.devices.empty()) return failure("no device could be opened:" + errors);
  reply(hello);
  return {};
}

void Worker::answer(const std::vector<std::string>& lines) {
  std::vector<Result<WorkerRequest>> requests;
  for (const std::string& line : lines) requests.push_back(request_from_line(line));
  auto prepared = prepare_all(evaluator_, requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i]) {
      log_line("bad_request", {{"reason", requests[i].error().message}});
      reply(ErrorReply{id_of(lines[i]), requests[i].error().message});
    } else if (const auto* evaluate = std::get_if<EvaluateRequest>(&*requests[i])) {
      reply(finish(evaluator_, *evaluate, std::move(*prepared[i])));
    } else {
      reply(admit(evaluator_, std::get<AdmitRequest>(*requests[i])));
    }
  }
}

void Worker::reply(const WorkerReply& reply) {
  out_ << to_line(reply) << '\n' << std::flush;
}

}  // namespace kevolve
