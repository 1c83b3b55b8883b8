#include <fstream>
#include <iterator>

#include "core/model/candidate.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kFile =
    "/*kevolve\n{ \"idea\": \"double\", \"launches\": [ { \"kernel\": \"twice\", \"grid\": [4], \"block\": "
    "[64],\n"
    "\"args\": [\"x\", \"y\"] } ] }\n*/\n"
    "__global__ void twice(const float* x, float* y) {\n"
    "  const int i = blockIdx.x * 64 + threadIdx.x;\n"
    "  if (i < N && x != nullptr) y[i] = 2 * x[i];\n"
    "}\n";

CandidatesReply parsed(const std::string& reply, Finish finish = Finish::stop) {
  const auto result = parse_candidates(reply, finish);
  if (!result) FAIL(result.error().message);
  return *result;
}

/// The only file of a reply that holds one.
std::string only(const std::string& reply, Finish finish = Finish::stop) {
  const CandidatesReply found = parsed(reply, finish);
  INFO((found.complaints.empty() ? "" : found.complaints[0]));
  CHECK(found.complaints.empty());
  REQUIRE(found.sources.size() == 1);
  return found.sources[0];
}

std::string complaint(const std::string& reply, Finish finish = Finish::stop) {
  const auto result = parse_candidates(reply, finish);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.back() == '.');
  return result.error().message;
}

std::string fence(const std::string& code, const std::string& language = "cuda") {
  return "```" + language + "\n" + code + "```\n";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string json_string(const std::string& text) {
  return Json(text).dump();
}

}  // namespace

TEST_CASE("a file is found in any fence, in none, and between prose") {
  for (const std::string language : {"", "cuda", "c++", "cpp title=\"a.cu\"", "CUDA"})
    CHECK(only("Here it is:\n\n" + fence(kFile, language) + "\nIt doubles `x`.\n") == kFile);
  CHECK(only(kFile) == kFile);
  CHECK(only("Here it is:\n" + kFile) == kFile);
  CHECK(only("~~~~cuda\n" + kFile + "~~~~") == kFile);
  CHECK(only("````\n" + kFile + "````\n") == kFile);
  CHECK(only("1. The file:\n\n   ```cuda\n" + kFile + "   ```\n") == kFile);
}

TEST_CASE("without fences, prose behind the last brace is cut off") {
  CHECK(only("Sure!\n" + kFile + "\nThis doesn't need shared memory.\n") == kFile);
  CHECK(only(kFile + "\nDone.", Finish::length) == kFile);
}

TEST_CASE("line ends, a byte-order mark and bytes that are no UTF-8 do no harm") {
  CHECK(only("\xEF\xBB\xBF" + replaced(fence(kFile), "\n", "\r\n")) == kFile);
  CHECK(only("caf\xE9\n" + fence(kFile)) == kFile);
}

TEST_CASE("thoughts are not searched for code") {
  const std::string draft = replaced(kFile, "double", "draft");
  CHECK(only("<think>\nMaybe:\n" + fence(draft) + "</think>\n" + fence(kFile)) == kFile);
  CHECK(only("<Thinking>" + draft + "</Thinking>" + fence(kFile)) == kFile);
  CHECK(only("Let me see.\n" + fence(draft) + "</think>\n" + fence(kFile)) == kFile);
  CHECK(only("<reasoning><think>a</think>" + fence(draft) + "</reasoning>" + fence(kFile)) == kFile);
  CHECK_THAT(complaint("<think>\n" + fence(kFile) + "but wait", Finish::length),
             ContainsSubstring("still reasoning"));
}

TEST_CASE("several files come in their order, copies once") {
  const std::string other = replaced(kFile, "double", "other");
  CHECK(parsed(fence(kFile) + "or\n" + fence(other)).sources == std::vector<std::string>{kFile, other});
  CHECK(parsed(fence(kFile + "\n" + other)).sources == std::vector<std::string>{kFile, other});
  CHECK(parsed(fence(kFile) + "Again:\n" + fence(kFile)).sources == std::vector<std::string>{kFile});
}

TEST_CASE("what stands before the header in its block moves behind it") {
  const std::string source = only(fence("#include <cuda_fp16.h>\n// a note\n" + kFile));
  CHECK(source.starts_with("/*kevolve\n{"));
  CHECK_THAT(source, ContainsSubstring("*/\n#include <cuda_fp16.h>\n// a note\n__global__"));
  CHECK(only("```markdown\n" + fence(kFile) + "```\n") == kFile);
}

TEST_CASE("the header may be spelled a little differently, or stand apart from the code") {
  CHECK(only(fence(replaced(kFile, "/*kevolve", "/* kevolve"))) == kFile);
  CHECK(only(fence(replaced(kFile, "/*kevolve", "/** KEVOLVE:"))) == kFile);
  const std::size_t code = kFile.find("__global__");
  CHECK(only(fence(kFile.substr(0, code), "json") + "and\n" + fence(kFile.substr(code))) ==
        kFile.substr(0, code) + "\n" + kFile.substr(code));
  CHECK(only(kFile.substr(0, code) + fence(kFile.substr(code))) ==
        kFile.substr(0, code) + "\n" + kFile.substr(code));
  const std::size_t json = kFile.find('{'), end = kFile.find("\n*/");
  CHECK(only(fence(kFile.substr(json, end - json) + "\n", "json") + fence(kFile.substr(code))) == kFile);
}

TEST_CASE("code may be wrapped in JSON") {
  CHECK(only("{\"code\": " + json_string(kFile) + "}") == kFile);
  CHECK(only("{\"code\": " + json_string(kFile) + "}", Finish::length) == kFile);
  CHECK(only(fence("{\"files\": [{\"name\": \"a.cu\", \"content\": " + json_string(fence(kFile)) + ",}]}\n",
                   "json")) == kFile);
  // Raw line breaks in the string are no JSON, but mean one thing.
  CHECK(only("{\"code\": \"" + replaced(replaced(kFile, "\\", "\\\\"), "\"", "\\\"") + "\"}") == kFile);
  CHECK_THAT(complaint("{\"code\": \"/*kevolve\\n{ \\\"idea\\\": \"x\" }\"}"),
             ContainsSubstring("not valid JSON"));
}

TEST_CASE("escaped HTML is undone where all of it is escaped, and left where it is not") {
  const std::string escaped = replaced(replaced(replaced(kFile, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
  CHECK(only(fence(escaped)) == kFile);
  CHECK(only(fence(replaced(escaped, "\"", "&quot;"))) == kFile);
  const std::string partly = replaced(kFile, "i < N", "i &lt; N && 1 > 0");
  CHECK(only(fence(partly)) == partly);
}

TEST_CASE("a header's JSON is made strict where it has one meaning") {
  const auto with = [](const std::string& from, const std::string& to) {
    return fence(replaced(kFile, from, to));
  };
  const auto idea = [](const std::string& source) {
    const auto text = header_text(source);
    if (!text) FAIL(text.error().message);
    const auto json = parse_json(*text, "header");
    if (!json) FAIL(json.error().message);
    CHECK_THAT(source, ContainsSubstring("*/\n__global__"));
    return (*json)["idea"].get<std::string>();
  };
  CHECK(idea(only(with("} ] }", "}, ], }"))) == "double");
  CHECK(idea(only(with("\"launches\"", "// the plan\n\"launches\""))) == "double");
  CHECK(idea(only(with("\"launches\"", "/* the plan */ \"launches\""))) == "double");
  CHECK(idea(only(with("\"launches\"", "\"deterministic\": True, \"launches\""))) == "double");
  CHECK(idea(only(with("double", "two\nlines"))) == "two\nlines");
  CHECK(idea(only(with("double", "x */ y"))) == "x */ y");
  CHECK(idea(only(with("\n*/\n", "\n"))) == "double");
  // What is strict stays as it is, byte for byte; what has no one meaning is for the header's parser to
  // refuse.
  CHECK(only(fence(kFile)) == kFile);
  CHECK(only(with("[4]", "[4")) == replaced(kFile, "[4]", "[4"));
}

TEST_CASE("code that breaks off is refused with the place") {
  const std::string head = kFile.substr(0, kFile.find("nullptr"));
  const std::string in_code = complaint("Here:\n```cuda\n" + head, Finish::length);
  CHECK_THAT(in_code, ContainsSubstring(
                          "breaks off at its length limit in the middle of the code, in line 7 of the file"));
  CHECK_THAT(in_code, ContainsSubstring("if (i < N && x !=`"));
  CHECK_THAT(in_code, ContainsSubstring("1 brace still open"));
  CHECK_THAT(complaint(head, Finish::length), ContainsSubstring("in line 7"));
  CHECK_THAT(complaint("```\n" + kFile.substr(0, 60), Finish::length),
             ContainsSubstring("in the header, line 2"));
  CHECK_THAT(complaint("```cuda\n" + head, Finish::content_filter), ContainsSubstring("content filter"));
  CHECK_THAT(complaint("```cuda\n" + head), ContainsSubstring("ends in the middle of the code"));
  CHECK_THAT(complaint("I will now", Finish::length), ContainsSubstring("before a candidate file begins"));
  // At the length limit, balanced braces do not show that nothing was to follow.
  CHECK_THAT(complaint("```cuda\n" + kFile, Finish::length), ContainsSubstring("middle of the code"));
  CHECK(only("```cuda\n" + kFile) == kFile);
  CHECK(only(fence(kFile) + "This file", Finish::length) == kFile);
}

TEST_CASE("a whole file is kept beside one that breaks off") {
  const CandidatesReply reply = parsed(fence(kFile) + "```cuda\n" + kFile.substr(0, 200), Finish::length);
  CHECK(reply.sources == std::vector<std::string>{kFile});
  REQUIRE(reply.complaints.size() == 1);
  CHECK_THAT(reply.complaints[0], ContainsSubstring("breaks off"));
}

TEST_CASE("what is no candidate is refused in words") {
  CHECK_THAT(complaint(""), ContainsSubstring("empty"));
  CHECK_THAT(complaint("I cannot do that."), ContainsSubstring("it begins with `I cannot do that.`"));
  CHECK_THAT(complaint(fence(kFile.substr(kFile.find("__global__")))), ContainsSubstring("no header"));
  CHECK_THAT(complaint(fence(kFile.substr(0, kFile.find("__global__")))), ContainsSubstring("no __global__"));
  CHECK_THAT(complaint("The /*kevolve header goes first."), ContainsSubstring("no candidate file"));
}

TEST_CASE("every seed kernel comes back from a fence as it is") {
  int seen = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(KEVOLVE_SOURCE_DIR "/kernels/seed")) {
    if (entry.path().extension() != ".cu") continue;
    std::ifstream file(entry.path());
    const std::string source((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    INFO(entry.path().string());
    CHECK(only("Here:\n" + fence(source) + "Done.\n") == source);
    CHECK(only(source + "\nDone.\n") == source);
    ++seen;
  }
  CHECK(seen > 50);
}

TEST_CASE("long replies that are no good take no long time") {
  for (const std::string part : {"[", "{", "```\n", "/*kevolve {", "<think>", "</think>", "/*kevolve\n{}*/\n",
                                 "\"", "&lt;", "/*", "```\n/*kevolve {} */", "[{\"", "// \\\n", "`", "~~~"}) {
    std::string reply;
    while (reply.size() < 1 << 18) reply += part;
    INFO(part);
    (void)parse_candidates(reply, Finish::stop);
    (void)parse_ideas(reply, Finish::stop, 8);
  }
  SUCCEED();
}
