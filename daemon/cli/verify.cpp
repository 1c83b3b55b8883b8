// kevolve verify: judges archived kernels again on this machine. What no longer holds is marked, not deleted.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "archive/archive.hpp"
#include "core/gates/reassessment.hpp"
#include "core/model/candidate.hpp"
#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/job/places.hpp"

namespace kevolve::cli {
namespace {

using Finding = gates::Reassessment::Finding;

struct VerifyOptions {
  std::vector<std::string> ids;
  std::string op, workload, device;
  std::filesystem::path archive;
  int top = 1;
  bool json = false;
};

/// A kernel at one place where it stands.
struct Target {
  CandidateId candidate;
  std::string operator_name;
  archive::StandingRecord standing;
};

struct Verified {
  Finding finding = Finding::undecided;
  std::string problem;  ///< why it could not be judged
  Evaluation archived, now;
  std::optional<gates::Ratio> slowdown;
};

bool wanted(const archive::StandingRecord& standing, const VerifyOptions& options) {
  return options.workload.empty() || standing.workload == options.workload;
}

/// One for each workload and device; where it is refuted, too: it may hold by now.
void add_standings(const archive::CandidateDetail& detail, const VerifyOptions& options,
                   std::vector<Target>& targets) {
  const auto begin = targets.size();
  for (const archive::StandingRecord& standing : detail.standings) {
    if (!wanted(standing, options)) continue;
    const auto same_place = [&](const Target& t) {
      return t.standing.workload == standing.workload && t.standing.device == standing.device;
    };
    const auto known = std::find_if(targets.begin() + static_cast<long>(begin), targets.end(), same_place);
    if (known == targets.end()) {
      targets.push_back({detail.candidate.id, detail.operator_name, standing});
    } else if (known->standing.yardstick.empty()) {
      known->standing = standing;  // a ranking of failures has no yardstick
    }
  }
}

Result<std::vector<Target>> best_targets(archive::Archive& archive, const VerifyOptions& options) {
  std::vector<std::string> names = {options.op};
  if (options.op.empty()) {
    auto all = archive.operator_names();
    if (!all) return failure(all.error());
    names = std::move(*all);
  }
  std::vector<Target> targets;
  for (const std::string& name : names) {
    archive::RankingQuery query;
    query.operator_name = name;
    query.workload = options.workload;
    query.top = options.top;
    const auto kernels = archive.best(query);
    if (!kernels) return failure(kernels.error());
    for (const archive::RankedKernel& k : *kernels) {
      targets.push_back({k.candidate,
                         name,
                         {k.workload, k.yardstick, k.device, k.device_info, k.precision, false, k.evaluation,
                          k.figure, k.speedup}});
    }
  }
  return targets;
}

Result<std::vector<Target>> find_targets(archive::Archive& archive, const VerifyOptions& options) {
  if (options.ids.empty()) return best_targets(archive, options);
  std::vector<Target> targets;
  for (const std::string& id : options.ids) {
    const Result<archive::CandidateDetail> detail = archive.show(id);
    if (!detail) return failure(detail.error());
    if (options.op.empty() || options.op == detail->operator_name) add_standings(*detail, options, targets);
  }
  return targets;
}

/// The naive kernel that speed-ups are against: as archived, or of this installation's seeds.
Result<Subject> naive_of(archive::Archive& archive, OperatorId op, const std::string& operator_name) {
  auto seed = archive.seed_candidate(op);
  if (!seed) return failure(seed.error());
  if (*seed)
    return Subject{std::string(subjects::kNaive), std::move((*seed)->source), std::move((*seed)->tunables)};
  const Result<Operator> known = engine::find_operator(operator_name);
  if (!known) return failure(known.error());
  Result<std::string> source = read_text_file(known->naive_file());
  if (!source) return failure(source.error());
  const auto header = parse_candidate(*source, *known, "naive.cu");
  if (!header) return failure(header.error());
  return Subject{std::string(subjects::kNaive), std::move(*source), default_tunables(*header)};
}

Result<EvaluateRequest> request_for(archive::Archive& archive, const Target& target,
                                    const archive::CandidateRecord& candidate, const VerifyOptions& options) {
  const Result<Operator> op = archive.operator_version(candidate.op);
  if (!op) return failure(op.error());
  EvaluateRequest request;
  request.device = options.device.empty() ? target.standing.device_info.name : options.device;
  request.operator_document = op->document;
  request.workload = target.standing.workload;
  request.source = candidate.source;
  request.tunables = candidate.tunables;
  request.fresh_draws = true;
  const std::string& yardstick = target.standing.yardstick;
  if (yardstick != subjects::kNaive) {
    if (!yardstick.empty()) request.baselines = {yardstick};
    request.yardstick = yardstick;
    return request;
  }
  Result<Subject> naive = naive_of(archive, candidate.op, target.operator_name);
  if (!naive) return failure(naive.error());
  if (candidate_hash(naive->source, naive->tunables) == candidate.hash) return request;  // itself
  request.compare_with = {std::move(*naive)};
  request.yardstick = yardstick;
  return request;
}

Result<Verified> verify(archive::Archive& archive, OneWorker& worker, const Target& target,
                        const VerifyOptions& options) {
  const Result<archive::CandidateRecord> candidate = archive.candidate(target.candidate);
  if (!candidate) return failure(candidate.error());
  const Result<archive::EvaluationRecord> archived = archive.evaluation(target.standing.evaluation);
  if (!archived) return failure(archived.error());
  Result<EvaluateRequest> request = request_for(archive, target, *candidate, options);
  if (!request) return failure(request.error());
  Verified verified;
  verified.archived = archived->evaluation;
  const bool itself = target.standing.yardstick == subjects::kNaive && request->compare_with.empty();
  const Result<WorkerReply> reply = worker.ask(*request);
  if (!reply) {
    verified.problem = reply.error().message;
    return verified;
  }
  if (const auto* error = std::get_if<ErrorReply>(&*reply)) verified.problem = error->message;
  const auto* judged = std::get_if<EvaluationReply>(&*reply);
  if (judged == nullptr) {
    if (verified.problem.empty())
      verified.problem = "the worker answered with something else: versions differ";
    return verified;
  }
  verified.now = judged->evaluation;
  if (itself) verified.now.speedup = verified.now.speedup_low = verified.now.verdict.passed() ? 1 : 0;
  const std::string yardstick = verified.now.measurements.empty() ? "" : target.standing.yardstick;
  const auto recorded = archive.record_evaluation({target.candidate, std::nullopt, target.standing.workload,
                                                   target.standing.precision, yardstick,
                                                   archive::Purpose::verify, verified.now});
  if (!recorded) return failure(recorded.error());
  const gates::Reassessment reassessment =
      gates::reassess(verified.archived, verified.now, itself ? "" : target.standing.yardstick);
  verified.finding = reassessment.finding;
  verified.slowdown = reassessment.slowdown;
  return verified;
}

std::string in_words(const Verified& verified) {
  if (!verified.problem.empty()) return "could not be judged: " + verified.problem;
  const Verdict& verdict = verified.now.verdict;
  if (verified.finding == Finding::not_right || verified.finding == Finding::undecided)
    return fmt::format("{}: {} at gate {}: {}", name(verified.finding), name(verdict.outcome),
                       name(verdict.gate), verdict.evidence);
  const Measurement* own = verified.now.measurement(subjects::kCandidate);
  const std::string time = own == nullptr ? "" : fmt::format("; now {}", in_time(own->median_us));
  if (!verified.slowdown) {
    const bool elsewhere = verified.archived.device.key() != verified.now.device.key();
    return fmt::format("{}{}; times are not compared: {}", name(verified.finding), time,
                       elsewhere ? "the archived ones are of " + verified.archived.device.key()
                                 : "nothing was timed beside it");
  }
  const gates::Ratio& r = *verified.slowdown;
  return fmt::format("{}{}; takes {:.3f} times as long as archived [{:.3f}, {:.3f}]", name(verified.finding),
                     time, r.median, r.interval.low, r.interval.high);
}

Json as_json(const Target& target, const Verified& verified) {
  Json json = {{"candidate", target.candidate.value},
               {"operator", target.operator_name},
               {"workload", target.standing.workload},
               {"precision", name(target.standing.precision)},
               {"was", target.standing.refuted ? "refuted" : "verified"},
               {"finding", verified.problem.empty() ? name(verified.finding) : "not judged"}};
  if (!verified.problem.empty()) {
    json["problem"] = verified.problem;
    return json;
  }
  if (verified.slowdown)
    json["slowdown"] = {{"median", verified.slowdown->median},
                        {"low", verified.slowdown->interval.low},
                        {"high", verified.slowdown->interval.high}};
  json["evaluation"] = to_json(verified.now);
  return json;
}

ExitCode exit_code(bool failed, bool unjudged) {
  return failed ? kRejected : unjudged ? kOperational : kOk;
}

int verify_all(const VerifyOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::vector<Target>> targets = find_targets(*archive, options);
  if (!targets) return complain(targets.error(), kNotFound);
  if (targets->empty())
    return complain(
        {fmt::format("{} holds nothing that matches and was ever verified", options.archive.string())},
        kNotFound);
  const std::filesystem::path log = scratch_log();
  auto worker = OneWorker::start(local_worker(log));
  if (!worker) return complain(worker.error(), kOperational);
  Json list = Json::array();
  bool failed = false, unjudged = false;
  for (const Target& target : *targets) {
    const Result<Verified> verified = verify(*archive, **worker, target, options);
    if (!verified) return complain(verified.error(), kOperational);
    if ((*worker)->interrupted())
      return complain({"interrupted; what was judged so far is archived"}, kInterrupted);
    failed = failed || verified->finding == Finding::not_right || verified->finding == Finding::slower;
    unjudged = unjudged || verified->finding == Finding::undecided;
    if (options.json) {
      list.push_back(as_json(target, *verified));
      continue;
    }
    fmt::print("{} {} #{} on {}{}: {}\n", target.operator_name, target.standing.workload,
               target.candidate.value,
               options.device.empty() ? target.standing.device_info.name : options.device,
               target.standing.refuted ? " (marked as not holding)" : "", in_words(*verified));
    std::fflush(stdout);
  }
  if (options.json) print_json(list);
  std::filesystem::remove(log);
  return exit_code(failed, unjudged);
}

}  // namespace

Command add_verify(CLI::App& app) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* sub = app.add_subcommand("verify", "Judge archived kernels again on this machine");
  sub->add_option(
      "ids", options->ids,
      "Candidates, as #NUMBER or by hash (default: the best of each workload, device and precision)");
  sub->add_option("--operator", options->op, "Only this operator");
  sub->add_option("--workload", options->workload, "Only this workload");
  sub->add_option("--top", options->top, "How many of the best of each")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_option("--device", options->device,
                  "Judge on this device (default: the one of the same name that the figure is from)");
  sub->add_flag("--json", options->json, "For scripts: a list of findings with their evaluations");
  add_archive_option(*sub, options->archive);
  sub->footer(
      "Exit code 0: all hold; 1: some are no longer right, or slower; 3: some could not be judged.\n"
      "What is no longer right leaves 'best' and stays in the archive, marked, with its evidence; what holds "
      "has its\n"
      "figure from now on.");
  return [options] { return verify_all(*options); };
}

}  // namespace kevolve::cli
