#include "llm_client/replies/reply_parser.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using namespace kevolve::search;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kOne =
    R"({"idea": "Use wide loads everywhere.", "bottleneck": "DRAM at 40 %", "predicted_us": 120.5, "builds_on": ["split_rows"]})";
const std::string kTwo =
    R"({"idea": "Split each row over blocks.", "bottleneck": "idle SMs", "predicted_us": 90})";

IdeasReply parsed_ideas(const std::string& reply, Finish finish = Finish::stop, std::size_t most = 8) {
  const auto result = parse_ideas(reply, finish, most);
  if (!result) FAIL(result.error().message);
  for (const Idea& idea : result->ideas) {
    CHECK(idea.key.empty());
    CHECK(idea.source == "llm");
  }
  return *result;
}

/// Both ideas, and nothing to complain of.
void check_both(const std::string& reply) {
  INFO(reply);
  const IdeasReply found = parsed_ideas(reply);
  CHECK(found.complaints.empty());
  REQUIRE(found.ideas.size() == 2);
  CHECK(found.ideas[0].text == "Use wide loads everywhere.");
  CHECK(found.ideas[0].bottleneck == "DRAM at 40 %");
  CHECK(found.ideas[0].predicted_us == 120.5);
  CHECK(found.ideas[0].parents == std::vector<std::string>{"split_rows"});
  CHECK(found.ideas[1].text == "Split each row over blocks.");
  CHECK(found.ideas[1].predicted_us == 90);
  CHECK(found.ideas[1].parents.empty());
}

std::string ideas_complaint(const std::string& reply, Finish finish = Finish::stop) {
  const auto result = parse_ideas(reply, finish, 8);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.back() == '.');
  return result.error().message;
}

Idea idea_with(const std::string& field, const std::string& value) {
  return parsed_ideas("[{\"idea\": \"Use wide loads everywhere.\", \"" + field + "\": " + value + "}]")
      .ideas.at(0);
}

}  // namespace

TEST_CASE("ideas are found as an array, in an object, in fences, in prose, line by line") {
  const std::string array = "[" + kOne + ",\n" + kTwo + "]";
  check_both(array);
  check_both("```json\n" + array + "\n```\n");
  check_both("Here are [two] ideas (see {1}):\n" + array + "\nGood luck!");
  check_both("{\"ideas\": " + array + "}");
  check_both("{\"result\": {\"optimisations\": " + array + "}, \"note\": \"x\"}");
  check_both(kOne + "\n" + kTwo + "\n");
  check_both("- " + kOne + "\n- " + kTwo);
  check_both("1. First\n```json\n" + kOne + "\n```\n2. Second\n```\n" + kTwo + "\n```\n");
  check_both("<think>[" + kTwo + "]</think>" + array);
  check_both("\xEF\xBB\xBF[" + kOne + ",\r\n" + kTwo + ",\r\n]\r\n");
}

TEST_CASE("trailing commas, comments and raw line breaks are forgiven") {
  check_both("[" + kOne + ", // the first\n" + kTwo + ", /* the last */ ]");
  std::string broken = "[" + kOne + "," + kTwo + "]";
  broken.replace(broken.find("wide loads"), 10, "wide\n  loads");
  check_both(broken);
}

TEST_CASE("strings are ideas, titles come before texts, other names of fields are known") {
  const IdeasReply plain = parsed_ideas(R"(["Use wide loads everywhere.", "Split each row over blocks."])");
  REQUIRE(plain.ideas.size() == 2);
  CHECK(plain.ideas[1].text == "Split each row over blocks.");
  const Idea named =
      parsed_ideas(R"([{"title": "Wide loads", "description": "Use float4 everywhere.", "parents": "a"}])")
          .ideas.at(0);
  CHECK(named.text == "Wide loads: Use float4 everywhere.");
  CHECK(named.parents == std::vector<std::string>{"a"});
}

TEST_CASE("predicted times are numbers or strings with a unit") {
  CHECK(idea_with("predicted_us", "\"120 us\"").predicted_us == 120);
  CHECK(idea_with("predicted_us", "\"~0.2 ms\"").predicted_us == Approx(200));
  CHECK(idea_with("predicted_ms", "0.2").predicted_us == Approx(200));
  CHECK_FALSE(idea_with("predicted_us", "null").predicted_us);
  CHECK(parsed_ideas(R"([{"idea": "Use wide loads everywhere.", "predicted_us": null}])").complaints.empty());
}

TEST_CASE("a prediction that is no time is left out with a complaint, the idea stays") {
  for (const std::string value : {"\"1.5x\"", "-3", "\"20 % faster\"", "0", "[1]", "true"}) {
    INFO(value);
    const IdeasReply reply =
        parsed_ideas("[{\"idea\": \"Use wide loads everywhere.\", \"predicted_us\": " + value + "}]");
    REQUIRE(reply.ideas.size() == 1);
    CHECK_FALSE(reply.ideas[0].predicted_us);
    REQUIRE(reply.complaints.size() == 1);
    CHECK_THAT(reply.complaints[0], ContainsSubstring("is not a time in microseconds"));
    CHECK(reply.complaints[0].back() == '.');
  }
}

TEST_CASE("what it builds on is a list of keys, or one") {
  CHECK(idea_with("builds_on", "[\"a\", \"`b`\", \"a\", 7, \"none\"]").parents ==
        std::vector<std::string>{"a", "b"});
  CHECK(idea_with("builds_on", "\"a\"").parents == std::vector<std::string>{"a"});
  CHECK(idea_with("builds_on", "null").parents.empty());
  CHECK(idea_with("builds_on", "\"none\"").parents.empty());
}

TEST_CASE("a reply that breaks off keeps its whole ideas and says so") {
  const IdeasReply reply = parsed_ideas("[" + kOne + ", {\"idea\": \"Keep weights in", Finish::length);
  REQUIRE(reply.ideas.size() == 1);
  REQUIRE(reply.complaints.size() == 1);
  CHECK_THAT(reply.complaints[0], ContainsSubstring("length limit, after `"));
  CHECK_THAT(ideas_complaint("[ {\"idea\": \"Keep weights in", Finish::length),
             ContainsSubstring("before its first idea is complete"));
}

TEST_CASE(
    "entries without an idea are left out with a complaint, copies silently, and no more than asked for") {
  const IdeasReply reply =
      parsed_ideas("[{\"thought\": \"hm\"}, " + kOne + ", " + kOne + ", \"Faster\", " + kTwo + "]");
  CHECK(reply.ideas.size() == 2);
  REQUIRE(reply.complaints.size() == 2);
  CHECK_THAT(reply.complaints[0], ContainsSubstring("no field \"idea\""));
  CHECK_THAT(reply.complaints[1], ContainsSubstring("too short"));
  const IdeasReply cut = parsed_ideas("[" + kOne + "," + kTwo + "]", Finish::stop, 1);
  CHECK(cut.ideas.size() == 1);
  REQUIRE(cut.complaints.size() == 1);
  CHECK_THAT(cut.complaints[0], ContainsSubstring("1 ideas were asked for and 2 given"));
}

TEST_CASE("a numbered list is the last resort") {
  const IdeasReply reply = parsed_ideas(
      "Here are my ideas:\n\n"
      "1. **Wide loads**: use float4 for all\n   reads of x.\n   - Bottleneck: DRAM at 40 %\n   - Predicted "
      "time: 120 us\n\n"
      "2) Split each row over several blocks.\n"
      "**3.** No.\n"
      "### Idea 4: Keep the weights in registers all along.\n");
  REQUIRE(reply.ideas.size() == 3);
  CHECK(reply.ideas[0].text == "Wide loads: use float4 for all reads of x.");
  CHECK(reply.ideas[0].bottleneck == "DRAM at 40 %");
  CHECK(reply.ideas[0].predicted_us == 120);
  CHECK(reply.ideas[1].text == "Split each row over several blocks.");
  CHECK(reply.ideas[2].text == "Keep the weights in registers all along.");
}

TEST_CASE("a reply without ideas is refused in words") {
  CHECK_THAT(ideas_complaint(""), ContainsSubstring("empty"));
  CHECK_THAT(ideas_complaint("I have none."), ContainsSubstring("it begins with `I have none.`"));
  CHECK_THAT(ideas_complaint("[]"), ContainsSubstring("no idea"));
  CHECK_THAT(ideas_complaint("[{\"speedup\": 2}]"), ContainsSubstring("no field \"idea\""));
  CHECK_THAT(ideas_complaint("<think>[" + kOne, Finish::length), ContainsSubstring("still reasoning"));
}

TEST_CASE("texts are one line of bounded length and valid UTF-8") {
  const std::string long_text(10000, 'a');
  const Idea idea =
      parsed_ideas("[{\"idea\": \"Use  wide\\n loads \\u00e9 " + long_text + "\"}]").ideas.at(0);
  CHECK(idea.text.starts_with("Use wide loads é aaa"));
  CHECK(idea.text.size() < 4100);
  CHECK_NOTHROW(Json(parsed_ideas("[\"Use wide loads \xFF everywhere\"]").ideas.at(0).text).dump());
}
