#include "core/worker/evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/gates/evidence.hpp"
#include "core/gates/tensor_cores.hpp"
#include "core/judge/admission.hpp"
#include "core/model/stopwatch.hpp"
#include "core/model/subjects.hpp"
#include "core/worker/correctness.hpp"
#include "core/worker/log.hpp"
#include "core/worker/profiling.hpp"
#include "core/worker/timing.hpp"

namespace kevolve {
namespace {

std::string document_hash(const Json& document) {
  return sha256_hex(document.dump());
}

/// A time below this share of the physical limit is a mistake of the measurement or a trick.
constexpr double kImpossible = 0.5;

Result<const Workload*> workload_of(const Operator& op, const std::string& name) {
  if (const Workload* workload = op.workload(name)) return workload;
  std::string known;
  for (const Workload& workload : op.workloads) known += (known.empty() ? "" : ", ") + workload.name;
  return failure(
      fmt::format("workload '{}': operator '{}' has no such workload; it has {}", name, op.name, known));
}

/// The least time that the workload's bytes and operations need on the device; 0 where that is unknown.
double floor_us(Device& device, const Operator& op, const Workload& workload,
                std::optional<PrecisionClass> precision) {
  const double bytes = static_cast<double>(op.bytes.evaluate(workload.axes).value_or(0));
  const double flops = static_cast<double>(op.flops.evaluate(workload.axes).value_or(0));
  const double bytes_per_us = device.copy_bytes_per_us();
  const double flops_per_us = device.flops_per_us(std::max(precision.value_or(op.precision), op.precision));
  return std::max(bytes_per_us > 0 ? bytes / bytes_per_us : 0, flops_per_us > 0 ? flops / flops_per_us : 0);
}

/// Of LibTorch: where it is timed on the same processors as the candidate, it has the same number of threads.
int threads_of(const DeviceInfo& info) {
  return info.traits().on_host ? static_cast<int>(info.num_sms)
                               : static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

void Evaluator::adopt_device(std::unique_ptr<Device> device) {
  const std::string name = device->info().name;
  devices_[name] = std::move(device);
}

Result<Device*> Evaluator::device(const std::string& name) {
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

Result<Judge*> Evaluator::judge(const Operator& op, int threads, Memory& memory,
                                const PackagePlace& packages) {
  auto& slot = judges_[memory.torch_device() + " " + document_hash(op.document)];
  if (!slot) {
    auto created = Judge::create(op, threads, memory, packages);
    if (!created) return failure(created.error());
    slot = std::move(*created);
  }
  return slot.get();
}

PackagePlace Evaluator::packages(const DeviceInfo& device) const {
  if (places_.cache_folder.empty()) return {};
  return {places_.cache_folder / "baselines", device.model, device.architecture, ""};
}

/// Once for each reason: a search asks thousands of times.
void Evaluator::log_left_out(const std::string& baseline, const std::string& why) {
  if (said_.insert(why).second) log_line("baseline_left_out", {{"baseline", baseline}, {"reason", why}});
}

DrawPool& Evaluator::draws(Device& device) {
  return draws_.try_emplace(&device, device.candidates_per_draw(), device.memory()->size_bytes())
      .first->second;
}

/// The last few are kept; each holds gigabytes on a GPU. A fresh one has fresh runners, too.
TimingBench& Evaluator::bench(Device& device, Judge& judge, const Workload& workload,
                              const std::string& family, bool fresh) {
  constexpr std::size_t kKept = 2;
  const std::string key = device.info().name + " " + family;
  auto known = std::find_if(benches_.begin(), benches_.end(), [&](const Bench& b) { return b.key == key; });
  if (known != benches_.end() && fresh) benches_.erase(known), known = benches_.end();
  if (known != benches_.end()) {
    benches_.splice(benches_.begin(), benches_, known);
  } else {
    if (benches_.size() == kKept) benches_.pop_back();
    benches_.push_front({key, TimingBench(device, judge, workload.axes)});
  }
  return benches_.front().bench;
}

Result<PreparedEvaluation> Evaluator::prepare(const EvaluateRequest& request) {
  PreparedEvaluation out;
  auto op = parse(request.operator_document);
  if (!op) return failure(op.error());
  out.op = *op;
  const auto workload = workload_of(*out.op, request.workload);
  if (!workload) return failure(workload.error());
  out.workload = *workload;
  const auto opened = device(request.device);
  if (!opened) return failure(opened.error());
  out.device = *opened;

  auto candidate = prepare_subject(*out.device, *out.op, out.workload->axes,
                                   {std::string(subjects::kCandidate), request.source, request.tunables},
                                   request.last_gate);
  if (!candidate) return failure(candidate.error());
  out.candidate = std::move(*candidate);
  if (!out.candidate.compiled || request.last_gate < Gate::timing || !out.device->can_run()) return out;
  for (const Subject& subject : request.compare_with) {
    auto other = prepare_subject(*out.device, *out.op, out.workload->axes, subject, Gate::inspect);
    if (!other) return failure(other.error());
    if (!other->compiled) {
      return failure(
          fmt::format("the kernel to compare with, '{}', failed: {}", subject.name, other->verdict.evidence));
    }
    out.compare_with.push_back(std::move(*other->compiled));
  }
  return out;
}

Result<Evaluation> Evaluator::finish(const EvaluateRequest& request, PreparedEvaluation prepared) {
  Evaluation out;
  out.device = prepared.device->info();
  out.verdict = prepared.candidate.verdict;
  out.gate_ms = prepared.candidate.gate_ms;
  if (!prepared.candidate.compiled) return out;
  const CompiledSubject& candidate = *prepared.candidate.compiled;
  out.compile = candidate.binary.report;
  if (const auto narrow = too_narrow(candidate.binary.report, prepared.op->precision)) {
    out.verdict = *narrow;
    return out;
  }
  if (request.last_gate <= Gate::inspect) return out;
  if (!prepared.device->can_run()) {
    out.verdict = {
        Outcome::unsupported, Gate::correctness,
        fmt::format("Device '{}' only compiles; ask for the gates up to 'inspect', or for another device.",
                    out.device.name)};
    return out;
  }

  prepared.device->enter();
  const auto judge_of =
      judge(*prepared.op, threads_of(out.device), *prepared.device->memory(), packages(out.device));
  if (!judge_of) return failure(judge_of.error());
  Judge& judge = **judge_of;
  const Seed seed = Seed::fresh();
  DrawPool& pool = draws(*prepared.device);
  const std::string family = document_hash(prepared.op->document) + " " + prepared.workload->name;
  out.seed = pool.begin(family, request.fresh_draws).hex();
  const Stopwatch correctness_watch;
  TimingBench& timing_bench = bench(*prepared.device, judge, *prepared.workload, family, request.fresh_draws);
  auto correctness =
      check_correctness(*prepared.device, judge, *prepared.workload, candidate, pool, seed,
                        {request.fresh_draws, timing_bench.fastest_rival_us(prepared.compare_with)});
  if (!correctness) return failure(correctness.error());
  out.gate_ms["correctness"] = correctness_watch.milliseconds();
  out.verdict = correctness->verdict;
  if (correctness->precision) out.precision = allowed_class(candidate.binary.report, *correctness->precision);
  if (correctness->precision) out.accuracy = correctness->accuracy;
  if (!out.verdict.passed() || request.last_gate == Gate::correctness) return out;

  const Stopwatch timing_watch;
  const TimingPlan plan{candidate,         prepared.compare_with, request.baselines,
                        request.yardstick, request.timing,        request.fresh_draws};
  auto timing = timing_bench.time(plan, std::move(correctness->session), pool, seed);
  if (!timing) return failure(timing.error());
  out.gate_ms["timing"] = timing_watch.milliseconds();
  for (const auto& [baseline, why] : timing->left_out) log_left_out(baseline, why);
  out.verdict = timing->verdict;
  out.measurements = std::move(timing->measurements);
  out.prepare_us = timing->prepare_us;
  out.witness = std::move(timing->witness);
  out.speedup = timing->speedup.median;
  out.speedup_low = timing->speedup.interval.low;
  out.floor_us = floor_us(*prepared.device, *prepared.op, *prepared.workload, out.precision);
  if (!out.verdict.passed()) return out;
  const double median_us = out.measurements.front().median_us;
  log_line("timed", {{"id", request.id},
                     {"samples", std::to_string(out.measurements.front().samples_us.size())},
                     {"median_us", number_text(median_us)},
                     {"stopped", timing->stopped}});
  if (median_us < kImpossible * out.floor_us) {
    out.verdict = {
        Outcome::quarantined, Gate::timing,
        fmt::format(
            "The median of {} us is below half of the physical limit of {} us, which moving the "
            "workload's bytes or doing its operations takes on this device. Such a time is not believed.",
            number_text(median_us), number_text(out.floor_us))};
    return out;
  }
  if (request.last_gate < Gate::profile) return out;
  const Stopwatch profile_watch;
  const auto draw =
      pool.get(judge, prepared.workload->axes, timed_distribution(*prepared.op), kFirstTimedDraw);
  if (!draw) return failure(draw.error());
  KernelFacts facts;
  facts.median_us = median_us;
  facts.least_bytes = static_cast<double>(prepared.op->bytes.evaluate(prepared.workload->axes).value_or(0));
  facts.num_sms = out.device.num_sms;
  out.profile = profile_candidate(*prepared.device, *prepared.op, candidate, **draw, facts);
  out.gate_ms["profile"] = profile_watch.milliseconds();
  out.verdict.gate = Gate::profile;
  return out;
}

Result<AdmissionReply> Evaluator::admit(const AdmitRequest& request) {
  const auto op = parse(request.operator_document);
  if (!op) return failure(op.error());
  const auto workload = workload_of(**op, request.workload);
  if (!workload) return failure(workload.error());
  const auto judge_of = judge(**op, static_cast<int>(std::thread::hardware_concurrency()), host_, {});
  if (!judge_of) return failure(judge_of.error());
  auto reason = refusal(**judge_of, **workload, Seed::fresh());
  if (!reason) return failure(reason.error());
  return AdmissionReply{request.id, reason->empty(), *reason};
}

}  // namespace kevolve
