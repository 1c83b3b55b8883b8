#pragma once
// What the archive's tests share: a folder that goes away, an archive with one job, and evaluations made up.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "archive/archive.hpp"
#include "tests/catch.hpp"

namespace kevolve {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kevolve-archive-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// The value, or a failed test that says why there is none.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(result.error().message);
}

/// The message of a result that has to be an error.
template <class T>
std::string error_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

inline std::string numbered(std::string prefix, std::size_t number) {
  prefix += std::to_string(number);
  return prefix;
}

inline Operator make_operator(const std::string& name, int revision = 1) {
  Operator op;
  op.name = name;
  op.document = {{"name", name}, {"revision", revision}};
  op.outputs.push_back({std::string("y"), DType::f32, {}, false});
  return op;
}

inline DeviceInfo make_device(const std::string& name = "cpu") {
  DeviceInfo device;
  device.name = name;
  device.model = "Model of " + name;
  device.architecture = "x86_64";
  device.toolchain = "g++ 12.2.0";
  return device;
}

inline Evaluation passed(double speedup, const DeviceInfo& device = make_device()) {
  Evaluation e;
  e.verdict = {Outcome::passed, Gate::timing, ""};
  e.gate_ms = {{"compile", 120.5}, {"timing", 300}};
  e.precision = PrecisionClass::strict_fp32;
  e.accuracy = Accuracy{1e-7, 2e-8, 1.5e-7, 2.5e-8, "impulse"};
  e.compile = CompileReport{"ab12", 4096, false, "a warning", {{"k.registers", 32}}};
  const double naive_us = 1000;
  e.measurements = {{"candidate", "warm", {naive_us / speedup, 0.1}, naive_us / speedup, 1, 2},
                    {"naive", "warm", {naive_us, 999.5}, naive_us, 990, 1010}};
  e.speedup = speedup;
  e.speedup_low = speedup * 0.95;
  e.floor_us = 5;
  e.seed = "00ff";
  e.device = device;
  return e;
}

inline Evaluation stopped(Gate gate, Outcome outcome, const DeviceInfo& device = make_device()) {
  Evaluation e;
  e.verdict = {outcome, gate, "Element [3,17] is 0.0, expected 0.71."};
  e.seed = "00ff";
  e.device = device;
  return e;
}

/// An archive with an operator, a job, a run, an open round and an idea.
struct ArchiveFixture {
  TemporaryFolder folder;
  archive::Archive archive = must(archive::Archive::open(folder / "a.db", archive::OpenMode::read_write));
  OperatorId op = must(archive.enter_operator(make_operator("layernorm")));
  DeviceId device = must(archive.enter_device(make_device()));
  archive::JobRecord job = must(archive.begin_job("night", {{"operators", {"layernorm"}}}));
  RunId run = must(archive.begin_run({job.id, make_device(), "seed-1", {{"kevolve", "0.1.0"}}}));
  archive::RoundRecord round = must(archive.begin_round(job.id, op, "small"));
  IdeaId idea = must(archive.add_idea({op, round.id, "playbook", "split_rows", "Split each row."}));

  CandidateId add(const std::string& source, const Bindings& tunables = {},
                  std::vector<archive::ParentRecord> parents = {}) {
    return must(archive.add_candidates(idea, {{source, tunables, std::move(parents)}})).at(0);
  }
  EvaluationId record(CandidateId candidate, const Evaluation& evaluation,
                      archive::Purpose purpose = archive::Purpose::search,
                      const std::string& workload = "small") {
    return must(archive.record_evaluation(make_record(candidate, evaluation, purpose, workload)));
  }
  archive::NewEvaluation make_record(CandidateId candidate, const Evaluation& evaluation,
                                     archive::Purpose purpose = archive::Purpose::search,
                                     const std::string& workload = "small") const {
    const std::string yardstick = evaluation.measurements.empty() ? "" : "naive";
    return {candidate, run, workload, PrecisionClass::strict_fp32, yardstick, purpose, evaluation};
  }
  archive::ResultKey key() const { return {op, "small", device, PrecisionClass::strict_fp32}; }
  std::vector<archive::RankedKernel> best(int top = 10) {
    archive::RankingQuery query;
    query.operator_name = "layernorm";
    query.top = top;
    return must(archive.best(query));
  }
  std::string hash(CandidateId candidate) { return must(archive.candidate(candidate)).hash; }
};

}  // namespace kevolve
