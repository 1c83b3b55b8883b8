#include "llm_client/prompts/quote.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

TEST_CASE("a fence is longer than any run of backticks inside") {
  CHECK(fenced("a\n\n", "cuda") == "```cuda\na\n```");
  CHECK(fenced("a ```` b", "text") == "`````text\na ```` b\n`````");
  CHECK(fenced("\x1B[1m\xFF", "text") == "```text\n[1m\uFFFD\n```");
  CHECK(fenced("", "text") == "```text\n\n```");
}

TEST_CASE("a cut text says how much is missing, and is cut at lines and characters") {
  CHECK(shortened("short", 100) == "short");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string cut = shortened(text, 200);
  CHECK(cut.starts_with("line 0\nline 1\n"));
  CHECK(cut.ends_with("line 99\n"));
  CHECK(cut.find("bytes left out here …]\n") != std::string::npos);
  CHECK(cut.size() < 260);
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "€";
  for (std::size_t most = 10; most < 20; ++most)
    CHECK(shortened(euros, most).find("\uFFFD") == std::string::npos);
}
