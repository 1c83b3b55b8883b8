#include "llm_client/replies/reply_text.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

TEST_CASE("fences of any kind cut a reply into blocks and prose") {
  const auto all = segments("a\n```cuda\nb\n```\nc\n~~~\nd\n```\n~~~\n````\ne\n```\nf\n````");
  REQUIRE(all.size() == 5);
  CHECK(all[0].text == "a\n");
  CHECK(all[1].text == "b\n");
  CHECK(all[1].fenced);
  CHECK(all[2].text == "c\n");
  CHECK(all[3].text == "d\n```\n");
  CHECK(all[4].text == "e\n```\nf\n");
  CHECK(segments("").empty());
}

TEST_CASE("fences at the end of a line of code, on the header's line, and never closed") {
  CHECK(segments("```\nvoid f() {}```\nx")[0].text == "void f() {}");
  CHECK(segments("```cuda /*kevolve {\n}*/\n```")[0].text == "/*kevolve {\n}*/\n");
  CHECK_FALSE(segments("```cuda\nvoid f() {")[0].closed);
  CHECK(segments("use ```x``` here").size() == 1);
}

TEST_CASE("thoughts are taken out") {
  CHECK(without_thoughts("a<think>b</think>c").text == "ac");
  CHECK(without_thoughts("a<THINK>b<think>c</think>d</Think>e").text == "ae");
  CHECK(without_thoughts("a</think>b").text == "b");
  CHECK(without_thoughts("a</think> \n").text == "a</think> \n");
  CHECK(without_thoughts("a<think>b</think>c</think>d").text == "ac</think>d");
  CHECK(without_thoughts("a<thinker>b</thinker>").text == "a<thinker>b</thinker>");
  CHECK(without_thoughts("a < b > c").text == "a < b > c");
  const ReplyText broken = without_thoughts("a<think>b");
  CHECK(broken.text == "a");
  CHECK(broken.breaks_off_inside);
}
