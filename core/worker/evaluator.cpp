#include "core/worker/evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/judge/admission.hpp"
#include "core/process/log.hpp"
#include "core/text/sha256.hpp"
#include "core/worker/gates/compile.hpp"

namespace kevolve::worker {
namespace {

std::string document_hash(const Json& document) {
  return sha256_hex(document.dump());
}

Result<const Workload*> workload_of(const Operator& op, const std::string& name) {
  if (const Workload* workload = op.workload(name)) return workload;
  std::string known;
  for (const Workload& workload : op.workloads) known += (known.empty() ? "" : ", ") + workload.name;
  return failure(
      fmt::format("workload '{}': operator '{}' has no such workload; it has {}", name, op.name, known));
}

/// Of LibTorch: where it is timed on the same processors as the candidate, it has the same number of threads.
int threads_of(const DeviceInfo& info) {
  return info.traits().on_host ? static_cast<int>(info.num_sms)
                               : static_cast<int>(std::thread::hardware_concurrency());
}

Verdict only_compiles(const std::string& device) {
  return {Outcome::unsupported, Gate::correctness,
          fmt::format("Device '{}' only compiles; ask for the gates up to 'inspect', or for another device.",
                      device)};
}

}  // namespace

void Evaluator::adopt_device(std::unique_ptr<devices::Device> device) {
  const std::string name = device->info().name;
  devices_[name] = std::move(device);
}

Result<devices::Device*> Evaluator::device(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto& slot = devices_[name];
  if (!slot) {
    auto opened = open_device(name, places_);
    if (!opened) opened = open_device(name, places_);  // what it ran to open it may have been killed
    if (!opened) return failure(opened.error());
    slot = std::move(*opened);
  }
  return slot.get();
}

Result<std::shared_ptr<const Operator>> Evaluator::parse(const Json& document) {
  const std::lock_guard lock(mutex_);
  auto& slot = operators_[document_hash(document)];
  if (!slot) {
    auto parsed = parse_operator(document, "operator");
    if (!parsed) return failure(parsed.error());
    slot = std::make_shared<const Operator>(std::move(*parsed));
  }
  return slot;
}

Result<judge::Judge*> Evaluator::judge(const Operator& op, int threads, devices::Memory& memory,
                                       const judge::PackagePlace& packages) {
  auto& slot = judges_[memory.torch_device() + " " + document_hash(op.document)];
  if (!slot) {
    auto created = judge::Judge::create(op, threads, memory, packages);
    if (!created) return failure(created.error());
    slot = std::move(*created);
  }
  return slot.get();
}

judge::PackagePlace Evaluator::packages(const DeviceInfo& device) const {
  if (places_.cache_folder.empty()) return {};
  return {places_.cache_folder / "baselines", device.model, device.architecture, ""};
}

/// Once for each reason: a search asks thousands of times.
void Evaluator::log_left_out(const std::string& baseline, const std::string& why) {
  if (said_.insert(why).second)
    process::log_line("baseline_left_out", {{"baseline", baseline}, {"reason", why}});
}

DrawPool& Evaluator::draws(devices::Device& device) {
  return draws_.try_emplace(&device, device.candidates_per_draw(), device.memory()->size_bytes())
      .first->second;
}

/// The last few are kept; each holds gigabytes on a GPU. A contender's is fresh, and so are its runners.
TimingBench& Evaluator::bench(const Trial& trial, judge::Judge& judge, const std::string& family) {
  constexpr std::size_t kKept = 2;
  const std::string key = trial.record.device.name + " " + family;
  auto known = std::find_if(benches_.begin(), benches_.end(), [&](const Bench& b) { return b.key == key; });
  if (known != benches_.end() && trial.request.fresh_draws) benches_.erase(known), known = benches_.end();
  if (known != benches_.end()) {
    benches_.splice(benches_.begin(), benches_, known);
  } else {
    if (benches_.size() == kKept) benches_.pop_back();
    benches_.push_front({key, TimingBench(*trial.device, judge, trial.workload->axes)});
  }
  return benches_.front().bench;
}

Result<Trial> Evaluator::prepare(const EvaluateRequest& request) {
  Trial trial;
  trial.request = request;
  TRY(trial.op, parse(request.operator_document));
  TRY(trial.workload, workload_of(*trial.op, request.workload));
  TRY(trial.device, device(request.device));
  trial.record.device = trial.device->info();
  TRY_DO(walk(gate_checks(), Phase::ahead, trial));
  if (trial.ended() || request.last_gate < Gate::timing || !trial.device->can_run()) return trial;
  for (const Subject& subject : request.compare_with) {
    TRY(auto rival, compiled_rival(*trial.device, *trial.op, trial.workload->axes, subject));
    trial.compare_with.push_back(std::move(rival));
  }
  return trial;
}

Result<void> Evaluator::convene(Trial& trial) {
  trial.device->enter();
  const DeviceInfo& info = trial.record.device;
  TRY(judge::Judge* const judge_of,
      judge(*trial.op, threads_of(info), *trial.device->memory(), packages(info)));
  const std::string family = document_hash(trial.op->document) + " " + trial.workload->name;
  const gates::Seed seed = gates::Seed::fresh();
  DrawPool& pool = draws(*trial.device);
  trial.record.seed = pool.begin(family, trial.request.fresh_draws).hex();
  trial.court.emplace(Court{*judge_of, pool, bench(trial, *judge_of, family), seed});
  return {};
}

Result<Evaluation> Evaluator::finish(Trial trial) {
  if (trial.ended()) return std::move(trial.record);
  if (!trial.device->can_run()) {
    trial.record.verdict = only_compiles(trial.record.device.name);
    return std::move(trial.record);
  }
  TRY_DO(convene(trial));
  TRY_DO(walk(gate_checks(), Phase::alone, trial));
  for (const auto& [baseline, why] : trial.left_out) log_left_out(baseline, why);
  return std::move(trial.record);
}

Result<AdmissionReply> Evaluator::admit(const AdmitRequest& request) {
  const auto op = parse(request.operator_document);
  if (!op) return failure(op.error());
  const auto workload = workload_of(**op, request.workload);
  if (!workload) return failure(workload.error());
  const auto judge_of = judge(**op, static_cast<int>(std::thread::hardware_concurrency()), host_, {});
  if (!judge_of) return failure(judge_of.error());
  auto reason = judge::refusal(**judge_of, **workload, gates::Seed::fresh());
  if (!reason) return failure(reason.error());
  return AdmissionReply{request.id, reason->empty(), *reason};
}

}  // namespace kevolve::worker
