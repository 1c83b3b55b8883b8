#include "daemon/engine/ideas/exchanges.hpp"

#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace engine;
using namespace llm;
using namespace search;
namespace {

using Catch::Matchers::ContainsSubstring;

struct ExchangesFixture : SearchFixture {
  ExchangesFixture() {
    auto owned = std::make_unique<FakeBackend>();
    backend = owned.get();
    model = {"llm", std::move(owned)};
  }
  std::optional<ModelAnswer> ask(Exchanges& through, const std::string& slot) {
    return must(finish(io, through.ask(model, run, round.id, question(slot))));
  }
  std::optional<ModelAnswer> ask(const std::string& slot) { return ask(exchanges, slot); }
  static Question question(const std::string& slot) {
    Question question;
    question.key = {"doubling", "small", 1, slot};
    question.messages = {{Role::user, "What now?"}};
    return question;
  }

  RoundRecord round = begin_round();
  FakeBackend* backend = nullptr;
  Correspondent model;
};

TEST_CASE("an answer is archived, counted, and not asked for again") {
  ExchangesFixture f;
  f.backend->replies["ideas"] = "An idea.";
  const auto first = f.ask("ideas");
  REQUIRE(first);
  CHECK(first->text == "An idea.");
  CHECK(first->finish == Finish::stop);
  const auto again = f.ask("ideas");
  REQUIRE(again);
  CHECK(again->exchange == first->exchange);
  CHECK(again->text == "An idea.");
  CHECK(f.backend->questions.size() == 1);
  CHECK(f.exchanges.answered() == 1);
  CHECK(f.exchanges.used().tokens == 150);
  CHECK(f.exchanges.used().requests == 1);
  CHECK(f.heard.slots == std::vector<std::string>{"ideas"});
}

TEST_CASE("three refusals in a row, and nothing more is asked") {
  ExchangesFixture f;
  f.backend->replies["fine"] = "Yes.";
  CHECK_FALSE(f.ask("a"));
  CHECK_FALSE(f.ask("b"));
  CHECK(f.ask("fine"));  // the count begins anew
  CHECK_FALSE(f.ask("c"));
  CHECK_FALSE(f.ask("d"));
  CHECK(f.model.out_of_use.empty());
  CHECK_FALSE(f.ask("e"));
  CHECK(f.model.out_of_use == "it knows no such slot");
  CHECK_FALSE(f.ask("g"));
  CHECK(f.backend->questions.size() == 6);
  CHECK_THAT(f.heard.warnings.back(), ContainsSubstring("llm: asked nothing more in this run"));
}

TEST_CASE("an exhausted account ends it at once") {
  ExchangesFixture f;
  f.backend->refusal = ChatError::Kind::quota;
  CHECK_FALSE(f.ask("a"));
  CHECK_FALSE(f.model.out_of_use.empty());
}

TEST_CASE("a recording may lack answers without a warning") {
  ExchangesFixture f;
  f.backend->partial = true;
  for (const char* slot : {"a", "b", "c", "d"}) CHECK_FALSE(f.ask(slot));
  CHECK(f.heard.warnings.empty());
  CHECK(f.model.out_of_use.empty());
  CHECK(f.backend->questions.size() == 4);
}

TEST_CASE("a cancelled question leaves no row and costs no request") {
  ExchangesFixture f;
  f.backend->refusal = ChatError::Kind::cancelled;
  CHECK_FALSE(f.ask("a"));
  CHECK(f.heard.slots.empty());
  CHECK(f.exchanges.used().requests == 0);
  CHECK(f.heard.warnings.empty());
}

TEST_CASE("a spent budget asks nothing") {
  ExchangesFixture f;
  JobBudget budget;
  budget.requests = 1;
  Exchanges limited(f.io, f.archive, f.heard, budget, Usage{});
  f.backend->replies = {{"a", "A."}, {"b", "B."}};
  CHECK(f.ask(limited, "a"));
  CHECK_FALSE(f.ask(limited, "b"));
  CHECK(f.backend->questions.size() == 1);
  CHECK(f.ask(limited, "a"));  // from the archive: nothing is spent
}

TEST_CASE("a question waits while others in flight may use the budget up") {
  ExchangesFixture f;
  JobBudget budget;
  budget.requests = 1;
  Exchanges limited(f.io, f.archive, f.heard, budget, Usage{});
  f.backend->replies = {{"a", "A."}, {"b", "B."}};
  std::vector<bool> answered;
  for (const char* slot : {"a", "b"}) {
    asio::co_spawn(f.io, limited.ask(f.model, f.run, f.round.id, ExchangesFixture::question(slot)),
                   [&](const std::exception_ptr&, Result<std::optional<ModelAnswer>> answer) {
                     answered.push_back(must(std::move(answer)).has_value());
                   });
  }
  f.io.restart();
  f.io.run_for(std::chrono::seconds(5));
  CHECK(answered == std::vector<bool>{true, false});
  CHECK(f.backend->questions.size() == 1);
}

TEST_CASE("a stop wakes questions that wait") {
  ExchangesFixture f;
  JobBudget budget;
  budget.requests = 1;
  Exchanges limited(f.io, f.archive, f.heard, budget, Usage{});
  f.backend->silent = true;
  int ended = 0;
  for (const char* slot : {"a", "b"}) {
    asio::co_spawn(f.io, limited.ask(f.model, f.run, f.round.id, ExchangesFixture::question(slot)),
                   [&](const std::exception_ptr&, const Result<std::optional<ModelAnswer>>& answer) {
                     ended += answer && !*answer;
                   });
  }
  f.io.restart();
  f.io.run_for(std::chrono::milliseconds(50));
  CHECK(limited.under_way() == 1);
  CHECK(ended == 0);
  limited.stop();
  f.io.restart();
  f.io.run_for(std::chrono::milliseconds(50));
  CHECK(ended == 1);  // the other one waits for its reply
}

}  // namespace
}  // namespace kevolve::testing
