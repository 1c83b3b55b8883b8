#include "core/search/promotion.hpp"

#include "core/model/subjects.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace search;
namespace {

using Kind = Decision::Kind;

/// Samples around `us`, one percent wide, as a timing gives them.
std::vector<double> around(double us, int count = 20) {
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) samples.push_back(us * (1 + 0.005 * ((i * 7 % 5) - 2) / 2.0));
  return samples;
}

Evaluation retiming(std::vector<double> candidate_us, std::vector<double> rival_us,
                    std::string_view rival = subjects::kIncumbent) {
  Evaluation evaluation;
  evaluation.verdict = {Outcome::passed, Gate::timing, ""};
  evaluation.speedup = rival_us.front() / candidate_us.front();
  evaluation.measurements.push_back({std::string(subjects::kCandidate), "cold", std::move(candidate_us)});
  evaluation.measurements.push_back({std::string(rival), "cold", std::move(rival_us)});
  return evaluation;
}

Evaluation faster_by(double ratio, std::string_view rival = subjects::kIncumbent) {
  return retiming(around(100), around(100 * ratio), rival);
}

const Rival kIncumbentRival{std::string(subjects::kIncumbent), 1};
const Scale kTimes = Scale::measured(1000);

Decision decided(const std::vector<Evaluation>& retimings, const Rival& rival = kIncumbentRival) {
  return decide(retimings, rival, kTimes, 7);
}

TEST_CASE("a contender is undecided until it was timed three times") {
  CHECK(decided({}).kind == Kind::undecided);
  CHECK(decided({faster_by(2)}).kind == Kind::undecided);
  CHECK(decided({faster_by(2), faster_by(2)}).kind == Kind::undecided);
  CHECK(decided({faster_by(2), faster_by(2), faster_by(2)}).kind == Kind::promoted);
}

TEST_CASE("one lucky retiming does not promote") {
  const Decision decision = decided({faster_by(1.5), faster_by(1), faster_by(1)});
  CHECK(decision.kind == Kind::not_faster);
  REQUIRE(decision.of_each.size() == 3);
  CHECK(decision.of_each[0].median == Approx(1.5).epsilon(0.01));
  CHECK(decision.of_each[1].median == Approx(1).epsilon(0.01));
}

TEST_CASE("one unlucky retiming of three keeps the champion") {
  CHECK(decided({faster_by(1.05), faster_by(0.97), faster_by(1.05)}).kind == Kind::not_faster);
}

TEST_CASE("the retiming with the median speed-up is kept") {
  const Decision decision = decided({faster_by(1.3), faster_by(1.1), faster_by(1.2)});
  CHECK(decision.kind == Kind::promoted);
  CHECK(decision.middle == 2);
  CHECK(decision.pooled.median == Approx(1.2).epsilon(0.02));
}

TEST_CASE("five percent of outliers neither make a champion nor keep one from winning") {
  std::vector<double> with_outlier = around(100);
  with_outlier[3] = 1000;
  const Evaluation slow_rival = retiming(around(100), with_outlier);
  CHECK(decided({slow_rival, slow_rival, slow_rival}).kind == Kind::not_faster);
  const Evaluation slow_once = retiming(with_outlier, around(110));
  CHECK(decided({slow_once, slow_once, slow_once}).kind == Kind::promoted);
}

TEST_CASE("a gain below the threshold does not promote") {
  CHECK(decided({faster_by(1.004), faster_by(1.004), faster_by(1.004)}).kind == Kind::not_faster);
}

TEST_CASE("a rival's head start is part of what must be beaten") {
  const Rival eager{std::string(subjects::kEager), 2};
  const auto thrice = [&](double ratio) {
    const Evaluation each = faster_by(ratio, subjects::kEager);
    return decided({each, each, each}, eager);
  };
  CHECK(thrice(1.5).kind == Kind::not_faster);
  CHECK(thrice(2.5).kind == Kind::promoted);
  CHECK(thrice(2.5).pooled.median == Approx(1.25).epsilon(0.01));
  CHECK(thrice(2.5).of_each.front().median == Approx(1.25).epsilon(0.01));
}

TEST_CASE("a retiming that fails, or was not timed beside the rival, refutes at once") {
  Evaluation wrong = faster_by(2);
  wrong.verdict = {Outcome::wrong_result, Gate::correctness, "y[0] is wrong."};
  CHECK(decided({wrong}).kind == Kind::refuted);
  const Decision second = decided({faster_by(2), wrong});
  CHECK(second.kind == Kind::refuted);
  CHECK(second.of_each.size() == 1);
  CHECK(decided({faster_by(2, subjects::kNaive)}).kind == Kind::refuted);
}

TEST_CASE("in a deterministic job a contender wins when it holds each time, whatever its times") {
  const Scale drawn = Scale::drawn(7, "naive");
  const std::vector<Evaluation> slower = {faster_by(0.5), faster_by(0.6), faster_by(0.4)};
  CHECK(decide(slower, kIncumbentRival, drawn, 7).kind == Kind::promoted);
  CHECK(decide(slower, kIncumbentRival, drawn, 7).middle == 0);
  std::vector<Evaluation> wrong = slower;
  wrong[2].verdict = {Outcome::race, Gate::correctness, "It races."};
  CHECK(decide(wrong, kIncumbentRival, drawn, 7).kind == Kind::refuted);
}

TEST_CASE("contenders passed and beat the champion, best first, each content once") {
  Champion champion;
  champion.id = {1};
  champion.score = 1.5;
  const std::vector<Entrant> judged = {{{2}, "b", 2.0, true},  {{3}, "a", 2.0, true},
                                       {{4}, "c", 3.0, false},  // failed
                                       {{5}, "d", 1.5, true},   // equal is not better
                                       {{6}, "b", 2.0, true},   // a twin
                                       {{1}, "e", 9.0, true},   // the champion itself
                                       {{7}, "f", 4.0, true}};
  CHECK(contenders(judged, champion) == std::vector<std::size_t>{6, 1, 0});
  CHECK(contenders({}, champion).empty());
}

TEST_CASE("the rival is the champion, or the yardstick as long as the naive kernel leads") {
  Standing standing;
  standing.naive.id = standing.champion.id = {1};
  standing.champion.speedup = 0.4;
  CHECK(rival_of(standing, "naive").subject == "naive");
  CHECK(rival_of(standing, "naive").head_start == 1);
  CHECK(rival_of(standing, "eager").subject == "eager");
  CHECK(rival_of(standing, "eager").head_start == Approx(0.4));
  standing.champion.id = {2};
  CHECK(rival_of(standing, "eager").subject == "incumbent");
  CHECK(rival_of(standing, "eager").head_start == 1);
}

}  // namespace
}  // namespace kevolve
