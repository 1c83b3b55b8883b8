// kevolve evaluate FILE.cu --operator OP: passes one candidate through the gates, by hand.

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "archive/archive.hpp"
#include "core/model/candidate.hpp"
#include "core/model/subjects.hpp"
#include "core/text/names.hpp"
#include "core/text/schema.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/job/places.hpp"

namespace kevolve::cli {
namespace {

struct Options {
  std::string file, op, workload = "small", device{kCpuDevice}, gates = "timing";
  std::vector<std::string> set;
  std::filesystem::path archive;
  bool json = false, save = false, no_naive = false;
};

/// "compile" or "policy,compile": the last one named is where judging stops.
Result<Gate> last_gate(const std::string& gates) {
  std::optional<Gate> last;
  for (std::size_t at = 0; at <= gates.size();) {
    const std::size_t end = std::min(gates.find(',', at), gates.size());
    const std::string word = gates.substr(at, end - at);
    const std::optional<Gate> gate = gate_from_name(word);
    if (!gate) {
      return failure(
          fmt::format("--gates {}: '{}' is not a gate; the gates are {}", gates, word, gate_list(", ")));
    }
    if (!last || *gate > *last) last = gate;
    at = end + 1;
  }
  return *last;
}

Result<Bindings> chosen_tunables(const CandidateHeader& header, const std::vector<std::string>& set) {
  Bindings tunables = default_tunables(header);
  std::vector<std::string> names;
  for (const auto& [name, value] : tunables) names.push_back(name);
  for (const std::string& assignment : set) {
    const std::size_t equals = assignment.find('=');
    const std::string name = assignment.substr(0, equals);
    std::int64_t value = 0;
    const std::string digits = equals == std::string::npos ? "" : assignment.substr(equals + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return failure(fmt::format("--set {}: expected NAME=INTEGER, for example BLOCK=256", assignment));
    }
    if (!tunables.contains(name)) {
      const std::string close = nearest(name, names);
      return failure(fmt::format(
          "--set {}: the candidate has no tunable '{}'{}; its tunables: {}", assignment, name,
          close.empty() ? "" : fmt::format("; did you mean '{}'?", close), fmt::join(names, ", ")));
    }
    tunables[name] = value;
  }
  return tunables;
}

Result<EvaluateRequest> request_for(const Options& options, const Operator& op, const std::string& source) {
  const Result<Gate> last = last_gate(options.gates);
  if (!last) return failure(last.error());
  if (op.workload(options.workload) == nullptr) {
    std::vector<std::string> names;
    for (const Workload& workload : op.workloads) names.push_back(workload.name);
    return failure(fmt::format("--workload {}: operator {} has no such workload; it has: {}",
                               options.workload, op.name, fmt::join(names, ", ")));
  }
  EvaluateRequest request;
  request.device = options.device;
  request.operator_document = op.document;
  request.workload = options.workload;
  request.source = source;
  request.last_gate = *last;
  request.baselines = {std::string(subjects::kEager), std::string(subjects::kCompile)};
  for (const Baseline& baseline : op.baselines) request.baselines.push_back(baseline.name);
  // A header that does not parse is the candidate's failure: the worker's policy gate says so.
  if (const auto header = parse_candidate(source, op, options.file); header) {
    const Result<Bindings> tunables = chosen_tunables(*header, options.set);
    if (!tunables) return failure(tunables.error());
    request.tunables = *tunables;
  }
  if (options.no_naive || *last < kVerifyingGate) return request;
  const Result<std::string> naive = read_text_file(op.naive_file());
  if (!naive) return request;
  const auto naive_header = parse_candidate(*naive, op, "naive.cu");
  if (naive_header)
    request.compare_with.push_back({std::string(subjects::kNaive), *naive, default_tunables(*naive_header)});
  return request;
}

void print_evaluation(const Evaluation& evaluation, const EvaluateRequest& request) {
  const Verdict& verdict = evaluation.verdict;
  if (verdict.passed()) {
    fmt::print("passed (through gate {})\n", name(verdict.gate));
  } else {
    fmt::print("stopped at gate {}: {}\n", name(verdict.gate), name(verdict.outcome));
  }
  if (!verdict.evidence.empty()) fmt::print("{}\n", verdict.evidence);
  if (!request.tunables.empty()) fmt::print("tunables   {}\n", in_tunables(request.tunables));
  if (evaluation.accuracy && evaluation.precision) {
    fmt::print(
        "precision  {}: max error {:.2e} (PyTorch {:.2e}), norm error {:.2e} (PyTorch {:.2e}), worst on "
        "'{}'\n",
        name(*evaluation.precision), evaluation.accuracy->max_error, evaluation.accuracy->torch_max_error,
        evaluation.accuracy->norm_error, evaluation.accuracy->torch_norm_error,
        evaluation.accuracy->worst_draw);
  }
  if (evaluation.compile) {
    for (const auto& [what, value] : evaluation.compile->resources)
      fmt::print("compile    {} = {}\n", what, value);
  }
  for (const Measurement& m : evaluation.measurements) {
    fmt::print("time       {:<10} {:>12}  [{}, {}]  {} samples, {}{}\n", m.subject, in_time(m.median_us),
               in_time(m.low_us), in_time(m.high_us), m.samples_us.size(), m.mode,
               m.backend.empty() ? "" : ", by " + m.backend);
  }
  if (evaluation.prepare_us)
    fmt::print("time       prepare    {:>12}  (constant inputs, not counted above)\n",
               in_time(*evaluation.prepare_us));
  if (!request.compare_with.empty() && !evaluation.measurements.empty()) {
    fmt::print("speed-up   {:.3f} x over {}, at least {:.3f} x\n", evaluation.speedup,
               request.compare_with.front().name, evaluation.speedup_low);
  }
  if (evaluation.floor_us > 0)
    fmt::print("floor      {:>23}  (physical limit of the workload on this device)\n",
               in_time(evaluation.floor_us));
  fmt::print("device     {} ({})\n", evaluation.device.name, evaluation.device.model);
  std::string gates;
  for (const auto& [gate, ms] : evaluation.gate_ms) gates += fmt::format("  {} {:.0f} ms", gate, ms);
  fmt::print("gates    {}\n", gates);
}

/// Baselines that were asked for and not timed, in the worker's own words.
void print_left_out(const std::filesystem::path& log) {
  const Result<std::string> text = read_text_file(log);
  if (!text) return;
  constexpr std::string_view kEvent = "event=baseline_left_out ";
  for (std::size_t at = text->find(kEvent); at != std::string::npos; at = text->find(kEvent, at)) {
    at += kEvent.size();
    fmt::print("left out   {}\n", std::string_view(*text).substr(at, text->find('\n', at) - at));
  }
}

Result<void> save(const Options& options, const Operator& op, const EvaluateRequest& request,
                  const Evaluation& evaluation) {
  const auto header = parse_candidate(request.source, op, options.file);
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return failure(archive.error());
  const auto op_id = archive->enter_operator(op);
  if (!op_id) return failure(op_id.error());
  const auto idea = archive->add_idea({*op_id, std::nullopt, "manual", options.file,
                                       header ? header->idea : std::string("(no readable header)")});
  if (!idea) return failure(idea.error());
  const auto ids = archive->add_candidates(*idea, {{request.source, request.tunables, {}}});
  if (!ids) return failure(ids.error());
  archive::NewEvaluation row;
  row.candidate = ids->front();
  row.workload = request.workload;
  row.precision = header ? header->precision : op.precision;
  row.yardstick = evaluation.measurements.empty() || request.compare_with.empty()
                      ? ""
                      : request.compare_with.front().name;
  row.purpose = archive::Purpose::manual;
  row.evaluation = evaluation;
  const auto recorded = archive->record_evaluation(row);
  if (!recorded) return failure(recorded.error());
  if (!options.json) fmt::print("archived   #{} in {}\n", ids->front().value, options.archive.string());
  return {};
}

int evaluate(const Options& options) {
  const Result<Operator> op = engine::find_operator(options.op);
  if (!op) return complain(op.error(), kUsage);
  const Result<std::string> source = read_text_file(options.file);
  if (!source) return complain(source.error(), kUsage);
  const Result<EvaluateRequest> request = request_for(options, *op, *source);
  if (!request) return complain(request.error(), kUsage);
  const std::filesystem::path log = scratch_log();
  const Result<Answer> answer = ask_worker(local_worker(log), WorkerRequest(*request));
  if (!answer) return complain(answer.error(), kOperational);
  if (const auto* error = std::get_if<ErrorReply>(&*answer->reply))
    return complain({error->message}, kOperational);
  const auto* reply = std::get_if<EvaluationReply>(&*answer->reply);
  if (reply == nullptr)
    return complain({"the worker answered with something else: versions differ"}, kOperational);
  if (options.json) {
    print_json(to_json(reply->evaluation));
  } else {
    print_evaluation(reply->evaluation, *request);
    if (!reply->evaluation.device.traits().on_host) print_left_out(log);
  }
  std::filesystem::remove(log);
  if (options.save) {
    if (const Result<void> saved = save(options, *op, *request, reply->evaluation); !saved) {
      return complain(saved.error(), kOperational);
    }
  }
  return reply->evaluation.verdict.passed() ? kOk : kRejected;
}

}  // namespace

Command add_evaluate(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("evaluate", "Pass one candidate file through the gates");
  sub->add_option("file", options->file, "Candidate, a .cu file with a /*kevolve … */ header")->required();
  sub->add_option("--operator", options->op, "Operator by name, or its folder")->required();
  sub->add_option("--workload", options->workload, "Workload of the operator")->capture_default_str();
  sub->add_option("--device", options->device,
                  "cpu, a GPU such as cuda:0, or cuda:sm_90a (compile and inspect only)")
      ->capture_default_str();
  sub->add_option("--gates", options->gates, "Stop after this gate: " + gate_list(", "))
      ->capture_default_str();
  sub->add_option("--set", options->set,
                  "A tunable's value, NAME=INTEGER; may be repeated (default: first allowed values)");
  sub->add_flag("--no-naive", options->no_naive, "Do not time the operator's naive kernel beside it");
  sub->add_flag("--save", options->save, "Enter the result into the archive");
  sub->add_flag("--json", options->json, "For scripts: the evaluation");
  add_archive_option(*sub, options->archive);
  sub->footer("Exit code 0: passed; 1: stopped at a gate; 2: wrong arguments; 3: it could not be judged.");
  return [options] { return evaluate(*options); };
}

}  // namespace kevolve::cli
