#include "llm_client/manual_backend.hpp"

#include <fstream>

#include "core/text/json.hpp"
#include "tests/unit/llm_client/asking.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a prompt is written whole, and the reply beside it is taken") {
  const auto folder = fresh_folder("kevolve_manual");
  auto backend = ManualBackend::open(folder);
  REQUIRE(backend);
  auto waiting = ask(**backend, question("idea-1/way-2"));
  const auto prompt = read_text_file(folder / "layernorm.small.round-01.idea-1.way-2.prompt.md");
  REQUIRE(prompt);
  CHECK_THAT(*prompt, ContainsSubstring("layernorm.small.round-01.idea-1.way-2.reply.md"));
  CHECK_THAT(*prompt, ContainsSubstring("<!-- system -->\n\nYou write kernels."));
  CHECK_THAT(*prompt, ContainsSubstring("<!-- user -->\n\nLayernorm, please."));
  CHECK(waiting.wait_for(std::chrono::milliseconds(500)) == std::future_status::timeout);
  std::ofstream(folder / "layernorm.small.round-01.idea-1.way-2.reply.md") << "Here it is.";
  const ChatResult reply = answer(std::move(waiting));
  REQUIRE(reply);
  CHECK(reply->text == "Here it is.");
  CHECK(reply->usage_estimated);
  CHECK(reply->cost_usd == 0.0);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a reply that is there already is taken at once") {
  const auto folder = fresh_folder("kevolve_manual_again");
  std::ofstream(folder / "layernorm.small.round-01.ideas.reply.md") << "[]";
  auto backend = ManualBackend::open(folder);
  REQUIRE(backend);
  CHECK(answer(ask(**backend, question("ideas")))->text == "[]");
  std::filesystem::remove_all(folder);
}

TEST_CASE("stopping answers what waits, and what is asked afterwards, with cancelled") {
  const auto folder = fresh_folder("kevolve_manual_stop");
  auto backend = ManualBackend::open(folder);
  REQUIRE(backend);
  auto waiting = ask(**backend, question("ideas"));
  (*backend)->stop();
  CHECK(answer(std::move(waiting)).error().kind == ChatError::Kind::cancelled);
  CHECK(answer(ask(**backend, question("more"))).error().kind == ChatError::Kind::cancelled);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  const auto backend = ManualBackend::open("/proc/nowhere/prompts");
  REQUIRE_FALSE(backend);
  CHECK_THAT(backend.error().message, ContainsSubstring("/proc/nowhere/prompts"));
}
