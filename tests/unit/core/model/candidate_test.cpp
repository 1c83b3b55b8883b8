#include "core/model/candidate.hpp"

#include <functional>

#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

TEST_CASE("a header is read whole") {
  const Operator op = fixture::scale();
  Json json = fixture::header();
  json["playbook"] = {{"regimes", {"memory_bound"}}, {"evidence", "few blocks"}, {"requires", {"tma"}}};
  const auto header = parse_candidate(fixture::source(json), op, "a.cu");
  INFO((header ? "" : header.error().message));
  REQUIRE(header);
  CHECK(header->idea == "Repack the weight, then one block for each row.");
  CHECK(header->tunables.at("VEC") == std::vector<std::int64_t>{1, 4});
  CHECK(default_tunables(*header) == Bindings{{"BLOCK", 32}, {"VEC", 1}});
  CHECK(header->constraints.at(0).text() == "N % VEC == 0");
  CHECK(header->scratch.at(0).dtype == DType::f16);
  CHECK(header->scratch.at(0).init == Fill::zero);
  CHECK(header->scratch.at(0).alignment_bytes == 128);
  CHECK(header->output_fill.at("y") == Fill::zero);
  CHECK(header->prepare.size() == 1);
  const Launch& launch = header->launches.at(0);
  CHECK(launch.kernel == "ns::rows<float, BLOCK>");
  CHECK(launch.grid.size() == 2);
  CHECK(launch.cluster.size() == 2);
  CHECK(launch.cooperative);
  CHECK(std::get<BufferArgument>(launch.arguments.at(0)).tensor == "x");
  CHECK(std::get<IntegerArgument>(launch.arguments.at(4)).dtype == DType::i64);
  CHECK(std::get<RealArgument>(launch.arguments.at(6)).value == 0.1);
  CHECK(header->precision == PrecisionClass::strict_fp32);
  CHECK(header->deterministic);
  CHECK((*header->playbook)["evidence"] == "few blocks");
}

TEST_CASE("the header is the first thing in the file") {
  CHECK(*header_text("/*kevolve {\"a\": 1} */ code") == " {\"a\": 1} ");
  CHECK(*header_text("\xEF\xBB\xBF\r\n /*kevolve{}*/") == "{}");
  CHECK(header_text("__global__ void f() {}")
            .error()
            .message.find("no header found; expected the file to start with") == 0);
  CHECK(header_text("#include <x>\n// y\n/*kevolve {} */")
            .error()
            .message.find("the header stands in line 3, after other text; expected the file to start") == 0);
  CHECK(header_text("/*kevolve {}").error().message ==
        "the header has no end; expected \"*/\" after its JSON");
}

TEST_CASE("syntax errors in a header count the file's own lines") {
  const auto header =
      parse_candidate("\n/*kevolve\n{ \"idea\": \"x\",\n  \"launches\": [,] }\n*/", fixture::scale(), "a.cu");
  REQUIRE_FALSE(header);
  CHECK(header.error().message.find("a.cu: line 4, column 16: syntax error") == 0);
  const auto first = parse_candidate("/*kevolve { \"idea\" \"x\" } */", fixture::scale(), "a.cu");
  REQUIRE_FALSE(first);
  CHECK(first.error().message.find("a.cu: line 1, column 22: ") == 0);
}

struct BadHeader {
  std::function<void(Json&)> change;
  std::string expected;
};

TEST_CASE("every mistake in a header names the field, the value and what was expected") {
  const std::vector<BadHeader> cases = {
      {[](Json& h) { h["launches"][0]["args"][0] = "wieght"; },
       "launches[0].args[0]: unknown tensor 'wieght'; did you mean 'weight'? known tensors: packed, weight, "
       "x, y"},
      {[](Json& h) { h["launches"][0]["args"][0] = "BLOCK"; },
       "launches[0].args[0]: 'BLOCK' is a number, not a tensor; expected {\"i32\": \"BLOCK\"} or {\"i64\": "
       "\"BLOCK\"} to "
       "pass it"},
      {[](Json& h) {
         h["launches"][0]["args"][3] = {{"i32", "ROWS"}};
       },
       "launches[0].args[3].i32: unknown name 'ROWS' in \"ROWS\"; known names: B, BLOCK, COUNT, N, VEC, "
       "num_sms"},
      {[](Json& h) {
         h["launches"][0]["args"][3] = {{"i23", "B"}};
       },
       "launches[0].args[3]: unknown key 'i23'; did you mean 'i32'? known keys: i32, i64, f32, f64, "
       "tensor_map"},
      {[](Json& h) {
         h["launches"][0]["args"][3] = Json{{"i32", "B"}, {"i64", "B"}};
       },
       "launches[0].args[3]: found {\"i32\":\"B\",\"i64\":\"B\"} (an object); expected an object with "
       "exactly one of the keys "
       "i32, i64, f32, f64, tensor_map"},
      {[](Json& h) {
         h["launches"][0]["args"][5] = {{"f32", "EPS"}};
       },
       "launches[0].args[5].f32: found \"EPS\" (a string); expected a number"},
      {[](Json& h) { h["launches"][0]["args"].erase(2); },
       "launches: output 'y' is no argument of any launch; expected a launch that writes it"},
      {[](Json& h) { h["launches"][0]["grid"][1] = "2 +"; },
       "launches[0].grid[1]: column 4: found the end, expected an integer, a name, '-', '!' or '('; in \"2 "
       "+\""},
      {[](Json& h) { h["launches"][0]["grid"] = 4; },
       "launches[0].grid: found 4; expected an array of 1 to 3 expressions (x, y, z)"},
      {[](Json& h) {
         h["launches"][0]["block"] = {1, 1, 1, 1};
       },
       "launches[0].block: found [1,1,1,1] (an array of 4); expected an array of 1 to 3 expressions (x, y, "
       "z)"},
      {[](Json& h) { h["launches"][0]["block"][0] = 1.5; },
       "launches[0].block[0]: found 1.5; expected an integer or a string with an integer expression"},
      {[](Json& h) { h["launches"][0]["kernel"] = "f; int main() {}"; },
       "launches[0].kernel: found \"f; int main() {}\" (a string); expected a C++ name expression such as "
       "reduce, "
       "ns::rows<float, BLOCK>"},
      {[](Json& h) { h["launches"][0]["kernel"] = "f/*"; },
       "launches[0].kernel: found '/*' in \"f/*\"; expected a C++ name expression without comments"},
      {[](Json& h) { h["launches"] = Json::array(); },
       "launches: found [] (an array of 0); expected an array of 1 to 64 entries"},
      {[](Json& h) { h["tunables"]["N"] = {1}; },
       "tunables.N: the name is an axis of the operator; expected another name"},
      {[](Json& h) { h["tunables"]["EPS"] = {1}; },
       "tunables.EPS: the name is a scalar of the operator; expected another name"},
      {[](Json& h) { h["tunables"]["weight"] = {1}; },
       "tunables.weight: the name is an input; expected another name"},
      {[](Json& h) { h["tunables"]["y"] = {1}; }, "tunables.y: the name is an output; expected another name"},
      {[](Json& h) { h["tunables"]["while"] = {1}; },
       "tunables.while: the name is a C++ keyword; expected another name"},
      {[](Json& h) { h["tunables"]["a__b"] = {1}; },
       "tunables.a__b: the name starts with _ or contains __, which C++ reserves; expected another name"},
      {[](Json& h) { h["tunables"]["threadIdx"] = {1}; },
       "tunables.threadIdx: the name has a meaning of its own in CUDA or in expressions; expected another "
       "name"},
      {[](Json& h) { h["tunables"]["NUM_SMS"] = {1}; },
       "tunables.NUM_SMS: the name has a meaning of its own in CUDA or in expressions; expected another "
       "name"},
      {[](Json& h) { h["tunables"]["VEC"] = Json::array(); },
       "tunables.VEC: found [] (an array of 0); expected an array of 1 to 64 integers"},
      {[](Json& h) { h["tunables"]["VEC"][1] = 2.5; }, "tunables.VEC[1]: found 2.5; expected an integer"},
      {[](Json& h) { h["tunables"]["VEC"][1] = 1; },
       "tunables.VEC[1]: 1 is listed twice; expected different values"},
      {[](Json& h) { h["constraints"][0] = "N % VECC == 0"; },
       "constraints[0]: unknown name 'VECC' in \"N % VECC == 0\"; did you mean 'VEC'? known names: B, BLOCK, "
       "COUNT, N, "
       "VEC, num_sms"},
      {[](Json& h) { h["scratch"]["VEC"] = h["scratch"]["packed"]; },
       "scratch.VEC: the name is a tunable; expected another name"},
      {[](Json& h) { h["scratch"]["x"] = h["scratch"]["packed"]; },
       "scratch.x: the name is an input; expected another name"},
      {[](Json& h) { h["scratch"]["packed"]["alignment"] = 24; },
       "scratch.packed.alignment: found 24; expected one of 16, 32, 64, 128, 256, 512, 1024, 2048, 4096"},
      {[](Json& h) { h["scratch"]["packed"]["dtype"] = "float"; },
       "scratch.packed.dtype: found \"float\" (a string); expected one of \"f32\", \"f16\", \"bf16\", "
       "\"f64\", \"i32\", "
       "\"i64\", \"u8\", \"bool\""},
      {[](Json& h) {
         h["scratch"]["packed"]["dtype"] = "i32";
         h["scratch"]["packed"]["init"] = "-inf";
       },
       "scratch.packed.init: infinity has no value of dtype i32; expected \"zero\""},
      {[](Json& h) {
         h["output_fill"] = {{"x", "zero"}};
       },
       "output_fill.x: 'x' is not an output; known outputs: y"},
      {[](Json& h) { h["prepare"][0]["args"][0] = "x"; },
       "prepare[0].args[0]: 'x' is an input that changes from call to call; expected constant inputs and "
       "scratch only, "
       "since `prepare` runs once for many calls"},
      {[](Json& h) { h["prepare"][0]["args"][1] = "y"; },
       "prepare[0].args[1]: 'y' is an output; expected constant inputs and scratch only, since `prepare` "
       "runs once for "
       "many calls"},
      {[](Json& h) { h["precision"] = "fp32"; },
       "precision: found \"fp32\" (a string); expected one of \"exact\", \"strict_fp32\", \"compensated\", "
       "\"tf32\", "
       "\"fp16\", \"bf16\"; did you mean \"tf32\"?"},
      {[](Json& h) {
         h["playbook"] = {{"regimes", {"slow"}}};
       },
       "playbook.regimes[0]: found \"slow\" (a string); expected one of \"memory_bound\", \"compute_bound\", "
       "\"latency_bound\""},
      {[](Json& h) {
         h["launches"][0]["args"][0] = {
             {"tensor_map", {{"tensor", "x"}, {"dims", {"N", "B"}}, {"box", {64}}}}};
       },
       "launches[0].args[0].tensor_map: found 2 dims, 0 strides_bytes, 1 box sizes; expected as many box "
       "sizes as dims, "
       "and one stride fewer"},
  };
  const Operator op = fixture::scale();
  for (const BadHeader& bad : cases) {
    Json json = fixture::header();
    bad.change(json);
    const auto header = parse_candidate(fixture::source(json), op, "a.cu");
    INFO(bad.expected);
    REQUIRE_FALSE(header);
    CHECK(header.error().message == "a.cu: " + bad.expected);
  }
}

}  // namespace
}  // namespace kevolve
