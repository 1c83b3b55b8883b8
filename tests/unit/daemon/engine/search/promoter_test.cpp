#include "daemon/engine/search/promoter.hpp"

#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace engine;
namespace {

using Catch::Matchers::ContainsSubstring;

/// A round whose candidates are judged, ready for promotion.
struct PromoterFixture : SearchFixture {
  RoundRecord round = begin_round();
  Promoter promoter{search, desk};
  int added = 0;

  Judged candidate(double speedup) {
    const IdeaId idea = must(archive.add_idea(
        {search.problem.op_id, round.id, "playbook", numbered("idea", ++added), numbered("Idea ", added)}));
    const NewCandidate row{numbered("source ", added), {{"BLOCK", 64}}, {}};
    const CandidateId id = must(archive.add_candidates(idea, {row})).front();
    desk.first = [speedup](const auto&) { return passed(speedup); };
    return *must(finish(io, desk.judge(must(archive.candidate(id)), 1)));
  }
  bool promote(std::vector<Judged> judged) {
    return must(finish(io, promoter.promote_best(std::move(judged), round)));
  }
};

TEST_CASE("the best contender is timed three times again and becomes champion") {
  PromoterFixture f;
  const Judged good = f.candidate(1.5), better = f.candidate(2);
  f.desk.again = [](const auto&) { return passed(2); };
  CHECK(f.promote({good, better}));
  CHECK(f.desk.retimed == std::vector<std::string>(3, better.candidate.hash));
  CHECK(f.heard.champions == std::vector<std::string>{better.candidate.hash});
  CHECK(f.search.standing.champion.id == better.candidate.id);
  CHECK(f.search.standing.champion.round == f.round.number);
  CHECK(f.search.standing.champion.score == Approx(2));
}

TEST_CASE("a contender that was lucky once leaves its place to the next, two at most") {
  PromoterFixture f;
  const Judged lucky = f.candidate(3), honest = f.candidate(2), third = f.candidate(1.5);
  f.desk.again = [&](const CandidateRecord& row) { return passed(row.hash == lucky.candidate.hash ? 1 : 2); };
  CHECK(f.promote({lucky, honest, third}));
  CHECK(f.search.standing.champion.id == honest.candidate.id);

  PromoterFixture g;
  const std::vector<Judged> all = {g.candidate(3), g.candidate(2), g.candidate(1.5)};
  g.desk.again = [](const auto&) { return passed(1); };
  CHECK(g.promote(all));
  CHECK(g.desk.retimed.size() == 6);  // the third is not tried
  CHECK(g.search.standing.naive_leads());
}

TEST_CASE("a contender that races, or fails when judged again, is passed over") {
  PromoterFixture f;
  const Judged racing = f.candidate(4), wrong = f.candidate(3), right = f.candidate(2);
  f.desk.racing.insert(racing.candidate.hash);
  f.desk.again = [&](const CandidateRecord& row) {
    return row.hash == wrong.candidate.hash ? stopped(Gate::correctness, Outcome::wrong_result) : passed(2);
  };
  CHECK(f.promote({racing, wrong, right}));
  CHECK(f.search.standing.champion.id == right.candidate.id);
  CHECK(f.desk.retimed.size() == 4);
  REQUIRE(f.heard.warnings.size() == 1);
  CHECK_THAT(f.heard.warnings[0], ContainsSubstring("did not hold when judged again: wrong_result"));
}

TEST_CASE("a promotion that was interrupted continues after its last retiming") {
  PromoterFixture f;
  const Judged good = f.candidate(2);
  f.desk.again = [](const auto&) { return passed(2); };
  f.limit = f.allowance.taken() + 2;
  CHECK_FALSE(f.promote({good}));
  CHECK(f.desk.retimed.size() == 2);
  f.limit = 1000;
  f.restart();
  CHECK(f.promote({good}));
  CHECK(f.desk.retimed.size() == 3);
  CHECK(f.search.standing.champion.id == good.candidate.id);
}

TEST_CASE("a round that has its champion promotes no other") {
  PromoterFixture f;
  const Judged good = f.candidate(2), better = f.candidate(3);
  f.desk.again = [](const auto&) { return passed(2); };
  CHECK(f.promote({good}));
  CHECK(f.promote({better}));
  CHECK(f.search.standing.champion.id == good.candidate.id);
}

TEST_CASE("workers that fail on a contender keep the round open, but not forever") {
  PromoterFixture f;
  const Judged good = f.candidate(2);
  f.desk.broken = true;
  for (int i = 1; i < 5; ++i) CHECK_FALSE(f.promote({good}));
  CHECK(f.promote({good}));
  CHECK(f.search.standing.naive_leads());
}

TEST_CASE("nothing is timed again once the budget is spent") {
  PromoterFixture f;
  const Judged good = f.candidate(2);
  f.open = false;
  CHECK_FALSE(f.promote({good}));
  CHECK(f.desk.retimed.empty());
}

}  // namespace
}  // namespace kevolve::testing
