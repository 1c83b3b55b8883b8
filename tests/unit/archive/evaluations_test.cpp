#include <cmath>
#include <limits>

#include "archive/connection.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("an evaluation comes back whole") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  Evaluation e = passed(4);
  e.prepare_us = 12.5;
  e.witness = Witness{.launches = 2, .busy_us = 1.5, .span_us = 1.75};
  e.measurements[0].sm_mhz = {1980, 1965};
  e.measurements[1].backend = "cudnn_attention";
  const EvaluationRecord record = must(fixture.archive.evaluation(fixture.record(candidate, e)));
  CHECK(record.candidate == candidate);
  CHECK(record.run == fixture.run);
  CHECK(record.op == fixture.op);
  CHECK(record.yardstick == "naive");
  CHECK(to_json(record.evaluation) == to_json(e));
  CHECK(record.evaluation.witness->span_us == 1.75);
  CHECK(record.evaluation.measurements[0].sm_mhz == e.measurements[0].sm_mhz);
  CHECK(record.evaluation.measurements[0].samples_us == e.measurements[0].samples_us);
  CHECK(record.evaluation.measurements[0].backend.empty());
  CHECK(record.evaluation.measurements[1].backend == "cudnn_attention");
  CHECK(must(fixture.archive.candidate(candidate)).state == CandidateState::evaluated);
  CHECK(must(fixture.archive.candidate(candidate)).evaluation == record.id);
}

TEST_CASE("numbers that JSON and SQLite do not have are survived") {
  ArchiveFixture fixture;
  Evaluation e = stopped(Gate::correctness, Outcome::wrong_result);
  e.accuracy = Accuracy{std::numeric_limits<double>::infinity(), std::nan(""), 1e-7, 1e-8, "special"};
  e.speedup = std::nan("");
  const auto back = must(fixture.archive.evaluation(fixture.record(fixture.add("a"), e))).evaluation;
  CHECK(std::isnan(back.accuracy->max_error));
  CHECK(back.accuracy->torch_max_error == 1e-7);
  CHECK(back.speedup == 0);
}

TEST_CASE("bytes that are not UTF-8 in a compiler's log are survived") {
  ArchiveFixture fixture;
  Evaluation e = stopped(Gate::compile, Outcome::compile_error);
  e.compile = CompileReport{"", 0, false, "error: \xff\xfe stray", {}};
  const auto back = must(fixture.archive.evaluation(fixture.record(fixture.add("a"), e))).evaluation;
  CHECK_THAT(back.compile->log, ContainsSubstring("stray"));
}

TEST_CASE("an evaluation that cannot be stored leaves the candidate as it was") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  auto record = fixture.make_record(candidate, passed(2));
  record.run = RunId{999};
  CHECK_THAT(error_of(fixture.archive.record_evaluation(record)),
             ContainsSubstring("refers to a row that does not exist"));
  CHECK(must(fixture.archive.candidate(candidate)).state == CandidateState::proposed);
  CHECK(fixture.best().empty());
}

TEST_CASE("an identical candidate's evaluation is found where it counts") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  const std::string hash = fixture.hash(candidate);
  const auto find = [&](OperatorId op, std::string_view workload, DeviceId device, Gate last = Gate::timing) {
    return must(fixture.archive.find_evaluation(hash, op, workload, device, last));
  };
  CHECK_FALSE(find(fixture.op, "small", fixture.device));
  fixture.record(candidate, stopped(Gate::compile, Outcome::passed));  // asked to stop after compiling
  CHECK_FALSE(find(fixture.op, "small", fixture.device));
  CHECK(find(fixture.op, "small", fixture.device, Gate::compile));
  const EvaluationId id = fixture.record(candidate, passed(2));
  CHECK(find(fixture.op, "small", fixture.device)->id == id);
  CHECK_FALSE(find(fixture.op, "benchmark", fixture.device));
  CHECK_FALSE(find(fixture.op, "small", must(fixture.archive.enter_device(make_device("cuda:0")))));
  CHECK_FALSE(
      find(must(fixture.archive.enter_operator(make_operator("layernorm", 2))), "small", fixture.device));
  CHECK_FALSE(must(fixture.archive.find_evaluation("00", fixture.op, "small", fixture.device)));

  fixture.add("never judged");
  CHECK(must(fixture.archive.tried(fixture.op, "small", fixture.device)).contains(hash));
  CHECK(must(fixture.archive.tried(fixture.op, "small", fixture.device)).size() == 1);
  CHECK(must(fixture.archive.tried(fixture.op, "benchmark", fixture.device)).empty());
}

TEST_CASE("a failure is found too") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  const EvaluationId id = fixture.record(candidate, stopped(Gate::policy, Outcome::policy_violation));
  CHECK(must(fixture.archive.find_evaluation(fixture.hash(candidate), fixture.op, "small", fixture.device))
            ->id == id);
}

TEST_CASE("a candidate takes over an identical one's evaluation, and follows when that is revised") {
  ArchiveFixture fixture;
  const CandidateId first = fixture.add("a"), twin = fixture.add("a"), stranger = fixture.add("b");
  const EvaluationId id = fixture.record(first, passed(2));
  must(fixture.archive.reuse_evaluation(twin, id));
  CHECK(must(fixture.archive.candidate(twin)).evaluation == id);
  CHECK_THAT(error_of(fixture.archive.reuse_evaluation(stranger, id)),
             ContainsSubstring("not of a candidate identical"));
  CHECK(must(fixture.archive.candidate(stranger)).state == CandidateState::proposed);

  const EvaluationId refuting =
      fixture.record(first, stopped(Gate::correctness, Outcome::race), Purpose::retime);
  CHECK(must(fixture.archive.candidate(twin)).evaluation == refuting);
}

TEST_CASE(
    "what decides a candidate: the first evaluation at its round's workload, then retimings and failures") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  const auto decided_by = [&] { return must(fixture.archive.candidate(candidate)).evaluation; };
  fixture.record(candidate, passed(9), Purpose::manual, "benchmark");
  CHECK_FALSE(decided_by());
  const EvaluationId first = fixture.record(candidate, passed(2));
  CHECK(decided_by() == first);
  fixture.record(candidate, passed(3), Purpose::manual);
  fixture.record(candidate, stopped(Gate::timing, Outcome::inconclusive), Purpose::retime);
  fixture.record(candidate, stopped(Gate::correctness, Outcome::wrong_result, make_device("cuda:0")));
  CHECK(decided_by() == first);
  const EvaluationId retimed = fixture.record(candidate, passed(1.9), Purpose::retime);
  CHECK(decided_by() == retimed);
  const EvaluationId refuting =
      fixture.record(candidate, stopped(Gate::correctness, Outcome::wrong_result), Purpose::manual);
  CHECK(decided_by() == refuting);
}

TEST_CASE("a profile comes back with its evaluation, and is found by its kernel") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a"), twin = fixture.add("a"), other = fixture.add("b");
  const auto find = [&](CandidateId id, std::string_view workload = "small") {
    return must(fixture.archive.profile(fixture.hash(id), fixture.op, workload, fixture.device));
  };
  Evaluation e = passed(4);
  e.verdict.gate = Gate::profile;
  fixture.record(candidate, passed(3.9));
  CHECK_FALSE(find(candidate));
  e.profile =
      Profile{Regime::latency_bound, {{"dram_pct", 3.25}}, {"Use more blocks.", "Unroll."}, "counters"};
  const EvaluationRecord record = must(fixture.archive.evaluation(fixture.record(candidate, e)));
  CHECK(to_json(record.evaluation) == to_json(e));
  REQUIRE(find(twin));
  CHECK(to_json(*find(twin)) == to_json(*e.profile));
  CHECK_FALSE(find(other));
  CHECK_FALSE(find(candidate, "benchmark"));

  // One without counters is kept, but does not hide what an earlier one told.
  Evaluation refused = e;
  refused.profile = Profile{Regime::unknown, {}, {}, "no permission"};
  CHECK(must(fixture.archive.evaluation(fixture.record(candidate, refused))).evaluation.profile->source ==
        "no permission");
  CHECK(find(candidate)->regime == Regime::latency_bound);
  e.profile->regime = Regime::memory_bound;
  fixture.record(twin, e);
  CHECK(find(candidate)->regime == Regime::memory_bound);
}
