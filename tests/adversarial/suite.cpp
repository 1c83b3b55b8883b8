#include "tests/adversarial/suite.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "core/model/candidate.hpp"
#include "core/process/command.hpp"

namespace kevolve::adversarial {
using namespace process;
namespace {

namespace fs = std::filesystem;

const fs::path kRepository = KEVOLVE_SOURCE_DIR;
const fs::path kFolder = kRepository / "tests/adversarial";

/// KEVOLVE_TEST_DEVICE, or the cpu device.
std::string device() {
  const char* named = std::getenv("KEVOLVE_TEST_DEVICE");
  return named == nullptr ? "cpu" : named;
}

/// Where and how it must be stopped, and why.
Result<void> read_expectation(const Json& json, Case& test) {
  test.why = json.at("why");
  test.outcomes.clear();
  const std::string gate = json.at("gate");
  test.gate = gate_from_name(gate);
  if (!test.gate && gate != "any") return failure(test.file + ": unknown gate '" + gate + "'");
  for (const Json& name : json.at("outcomes")) {
    const auto outcome = outcome_from_name(name.get<std::string>());
    if (!outcome) return failure(test.file + ": unknown outcome '" + name.get<std::string>() + "'");
    test.outcomes.insert(*outcome);
  }
  return {};
}

Result<Bindings> first_tunables(const std::string& source, const std::string& where) {
  const auto text = header_text(source);
  if (!text) return failure(text.error().in(where));
  const auto header = parse_json(*text, where);
  if (!header) return failure(header.error());
  Bindings tunables;
  if (header->contains("tunables"))
    for (const auto& [name, values] : header->at("tunables").items()) tunables[name] = values.at(0);
  return tunables;
}

std::string id_of(const WorkerReply& reply) {
  if (const auto* evaluation = std::get_if<EvaluationReply>(&reply)) return evaluation->id;
  if (const auto* error = std::get_if<ErrorReply>(&reply)) return error->id;
  return {};
}

std::string words(const std::set<Outcome>& outcomes) {
  std::string text;
  for (const Outcome outcome : outcomes) text += (text.empty() ? "" : " or ") + std::string(name(outcome));
  return text;
}

}  // namespace

Result<std::vector<Case>> load_cases() {
  const auto json = read_json_file(kFolder / "expectations.json");
  if (!json) return failure(json.error());
  std::vector<Case> cases;
  for (const Json& entry : *json) {
    Case test{entry.at("file"), entry.at("operator"), entry.value("axes", Json()), {}, {}, {}};
    if (auto read = read_expectation(entry, test); !read)
      return failure(read.error().in("expectations.json"));
    cases.push_back(std::move(test));
  }
  return cases;
}

Result<std::vector<Case>> load_cases_for_gpu() {
  auto cases = load_cases();
  if (!cases) return cases;
  const auto json = read_json_file(kFolder / "gpu_expectations.json");
  if (!json) return failure(json.error());
  for (const Json& entry : *json) {
    const std::string file = entry.at("file");
    const auto test =
        std::find_if(cases->begin(), cases->end(), [&](const Case& c) { return c.file == file; });
    if (test == cases->end()) return failure("gpu_expectations.json: no candidate '" + file + "'");
    if (auto read = read_expectation(entry, *test); !read)
      return failure(read.error().in("gpu_expectations.json"));
  }
  return cases;
}

Result<std::vector<Case>> load_cases_for_device() {
  return device().rfind("cuda", 0) == 0 ? load_cases_for_gpu() : load_cases();
}

std::set<std::string> candidate_files() {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".cu") files.insert(fs::relative(entry.path(), kFolder).string());
  return files;
}

Result<EvaluateRequest> request_for(const Case& test) {
  EvaluateRequest request;
  request.id = test.file;
  const auto source = read_text_file(kFolder / test.file);
  if (!source) return failure(source.error());
  request.source = *source;
  const auto document = read_json_file(kRepository / test.operator_folder / "operator.json");
  if (!document) return failure(document.error());
  request.operator_document = *document;
  request.workload = "small";
  if (!test.axes.is_null()) request.operator_document["workloads"]["small"]["axes"] = test.axes;
  const auto tunables = first_tunables(*source, test.file);
  if (!tunables) return failure(tunables.error());
  request.tunables = *tunables;
  request.device = device();
  request.baselines = {};
  request.timing = {.min_samples = 3, .max_samples = 5, .max_seconds = 0.2};
  return request;
}

Result<std::vector<WorkerReply>> judge_all(const std::vector<Case>& cases) {
  std::string lines;
  for (const Case& test : cases) {
    const auto request = request_for(test);
    if (!request) return failure(request.error());
    lines += to_line(*request) + "\n";
  }
  CommandLimits limits;
  limits.deadline = std::chrono::minutes(24);
  limits.output_bytes = 256 << 20;
  const auto result = run_command({KEVOLVE_BIN_DIR "/kevolve-worker", "--device", device(), "--cache",
                                   KEVOLVE_BIN_DIR "/../tests/adversarial-cache"},
                                  lines, limits);
  if (!result) return failure(result.error());

  std::map<std::string, WorkerReply> by_id;
  std::istringstream out(result->out);
  for (std::string line; std::getline(out, line);) {
    auto reply = reply_from_line(line);
    if (!reply) return failure(reply.error().in("kevolve-worker's output"));
    by_id.insert_or_assign(id_of(*reply), std::move(*reply));
  }
  std::vector<WorkerReply> replies;
  for (const Case& test : cases) {
    const auto found = by_id.find(test.file);
    replies.push_back(
        found != by_id.end()
            ? found->second
            : WorkerReply(ErrorReply{
                  test.file,
                  "no reply; the worker's last words: " +
                      result->err.substr(result->err.size() > 2000 ? result->err.size() - 2000 : 0)}));
  }
  return replies;
}

std::optional<std::string> disagreement(const Case& test, const WorkerReply& reply) {
  if (const auto* error = std::get_if<ErrorReply>(&reply)) return "not judged: " + error->message;
  const auto* answer = std::get_if<EvaluationReply>(&reply);
  if (answer == nullptr) return "an answer that is no evaluation";
  const Verdict& verdict = answer->evaluation.verdict;
  // A wrong answer may happen to fit a looser precision class; whether it does depends on the draw.
  std::set<Outcome> accepted = test.outcomes;
  if (accepted.contains(Outcome::wrong_result)) accepted.insert(Outcome::wrong_precision);
  if (accepted.contains(verdict.outcome) && (!test.gate || *test.gate == verdict.gate)) return std::nullopt;
  return "expected " + words(test.outcomes) + " at gate " +
         std::string(test.gate ? name(*test.gate) : "any") + ", got " + std::string(name(verdict.outcome)) +
         " at gate " + std::string(name(verdict.gate)) + ": " + verdict.evidence;
}

}  // namespace kevolve::adversarial
