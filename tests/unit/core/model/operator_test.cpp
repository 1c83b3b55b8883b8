#include "core/model/operator.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

TEST_CASE("an operator is read whole and in order") {
  const Operator op = fixture::scale();
  CHECK(op.name == "scale");
  REQUIRE(op.axes.size() == 2);
  CHECK(op.axes[0].name == "N");
  CHECK(op.axes[1].kind == AxisKind::variable);
  CHECK(op.scalars[1].value == 7);
  CHECK(op.is_input("weight"));
  CHECK_FALSE(op.is_input("y"));
  CHECK(op.tensor("weight")->constant);
  CHECK_FALSE(op.tensor("x")->constant);
  CHECK(op.tensor("z") == nullptr);
  CHECK(op.reference.find("def forward(x: Tensor") == 0);
  CHECK(op.workload("small")->holdouts == std::vector<Bindings>{{{"B", 5}}});
  CHECK(op.workload("large") == nullptr);
  CHECK(op.distributions[0].timed);
  CHECK(*op.bytes.evaluate(op.workload("small")->axes) == 4 * (2 * 3 * 64 + 64));
  CHECK(op.document == fixture::operator_document());
  CHECK(*shape_at(*op.tensor("x"), {{"N", 64}, {"B", 5}}) == std::vector<std::int64_t>{5, 64});
}

TEST_CASE("what kernels may round results on the way to is fp32 unless the operator says otherwise") {
  CHECK(fixture::scale().intermediates == DType::f32);
  Json document = fixture::operator_document();
  document["intermediates"] = "f16";
  const auto rounded = parse_operator(document, "operator.json");
  REQUIRE(rounded);
  CHECK(rounded->intermediates == DType::f16);
  document["intermediates"] = "f64";
  CHECK_FALSE(parse_operator(document, "operator.json"));
}

TEST_CASE("every seed operator and its naive candidate load") {
  const std::filesystem::path seeds = std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(seeds)) {
    if (!std::filesystem::exists(entry.path() / "operator.json")) continue;
    const auto op = load_operator(entry.path());
    INFO((op ? "" : op.error().message));
    REQUIRE(op);
    CHECK(op->name == entry.path().filename());
    CHECK(op->folder == entry.path());
    const auto source = read_text_file(op->naive_file());
    REQUIRE(source);
    const auto header = parse_candidate(*source, *op, (entry.path() / "naive.cu").string());
    INFO((header ? "" : header.error().message));
    CHECK(header);
    ++count;
  }
  CHECK(count >= 1);
}

TEST_CASE("attention's kernels are the same text with and without a mask") {
  const std::filesystem::path seeds = std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed";
  const auto causal = load_operator(seeds / "attention_causal_fp16");
  const auto full = load_operator(seeds / "attention_fp16");
  REQUIRE(causal);
  REQUIRE(full);
  const auto ours = causal->candidate_files(), theirs = full->candidate_files();
  REQUIRE(ours);
  REQUIRE(theirs);
  CHECK(std::includes(theirs->begin(), theirs->end(), ours->begin(), ours->end()));
  CHECK(ours->size() >= 5);
  CHECK(causal->naive_file() == full->naive_file());
}

TEST_CASE("an operator takes candidates of other folders, which are no part of its document") {
  const std::filesystem::path seeds = std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed";
  const auto op = load_operator(seeds / "matmul_compensated");
  REQUIRE(op);
  CHECK_FALSE(op->document.contains("playbook"));  // its hash is the operator's in archives
  const auto files = op->candidate_files();
  REQUIRE(files);
  std::vector<std::string> names;
  for (const auto& file : *files) names.push_back(file.lexically_relative(seeds).string());
  CHECK(names == std::vector<std::string>{"matmul/naive.cu", "matmul/register_tile.cu",
                                          "matmul/shared_tiles.cu", "matmul_compensated/split_mma.cu",
                                          "matmul_compensated/split_wgmma.cu"});

  Operator twice = *op;
  twice.shared_candidates.push_back(seeds / "matmul_compensated/split_mma.cu");
  REQUIRE_FALSE(twice.candidate_files());
  CHECK(twice.candidate_files().error().message.find("have the same name") != std::string::npos);

  Json document = *read_json_file(seeds / "matmul/operator.json");
  document["playbook"] = {"../../etc/passwd"};
  CHECK_FALSE(parse_operator(document, "operator.json"));
}

TEST_CASE("a reference in a file of its own becomes part of the document") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("kevolve_operator_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Json document = fixture::operator_document();
  document["reference"] = {{"file", "reference.py"}};
  std::ofstream(folder / "operator.json") << document.dump();
  std::filesystem::remove(folder / "reference.py");
  const auto missing = load_operator(folder);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("operator.json: reference.file: ") != std::string::npos);
  CHECK(missing.error().message.find("reference.py: cannot be opened: No such file or directory") !=
        std::string::npos);
  const std::string text = "def forward(x: Tensor, weight: Tensor) -> Tensor:\n    return x * weight\n";
  std::ofstream(folder / "reference.py") << text;
  const auto op = load_operator(folder);
  REQUIRE(op);
  CHECK(op->reference == text);
  CHECK(op->document["reference"] == text);
  CHECK(parse_operator(op->document, "wire"));
  std::filesystem::remove_all(folder);
}

struct BadOperator {
  std::function<void(Json&)> change;
  std::string expected;
};

TEST_CASE("what a schema cannot say is checked, and said precisely") {
  const std::vector<BadOperator> cases = {
      {[](Json& o) {
         o["axes"]["NULL"] = {{"kind", "constant"}};
       },
       "axes.NULL: the name has a meaning of its own in CUDA or in expressions; expected another name"},
      {[](Json& o) {
         o["scalars"]["N"] = {{"dtype", "f32"}, {"value", 1}};
       },
       "scalars.N: the name is already used; expected different names for all axes, scalars, inputs and "
       "outputs"},
      {[](Json& o) { o["inputs"]["y"] = o["inputs"]["x"]; },
       "outputs.y: the name is already used; expected different names for all axes, scalars, inputs and "
       "outputs"},
      {[](Json& o) { o["inputs"]["float"] = o["inputs"]["x"]; },
       "inputs.float: the name is a C++ keyword; expected another name"},
      {[](Json& o) { o["scalars"]["COUNT"]["value"] = 1.5; },
       "scalars.COUNT.value: found 1.5; expected a whole number of magnitude at most 2147483647 (dtype i32)"},
      {[](Json& o) { o["scalars"]["EPS"]["value"] = 1e39; },
       "scalars.EPS.value: found 1e+39; expected a number of magnitude at most 3.4028234663852886e+38 (dtype "
       "f32)"},
      {[](Json& o) { o["inputs"]["x"]["shape"][1] = "M"; },
       "inputs.x.shape[1]: unknown name 'M' in \"M\"; known names: B, N"},
      {[](Json& o) { o["outputs"]["y"]["shape"][0] = "B *"; },
       "outputs.y.shape[0]: column 4: found the end, expected an integer, a name, '-', '!' or '('; in \"B "
       "*\""},
      {[](Json& o) { o["reference"] = "def forward(x, wieght):\n"; },
       "reference: parameter 'wieght' of forward is unknown; did you mean 'weight'? known parameters: B, "
       "COUNT, EPS, "
       "N, weight, x"},
      {[](Json& o) { o["reference"] = "def forward(x, weight, y):\n"; },
       "reference: parameter 'y' of forward is an output; expected inputs, scalars and axes; known "
       "parameters: B, COUNT, "
       "EPS, N, weight, x"},
      {[](Json& o) { o["reference"] = "def forward(x):\n"; },
       "reference: forward has no parameter 'weight'; expected every input as a parameter of that name"},
      {[](Json& o) {
         o["reference"] = {{"file", "r.py"}};
       },
       "reference: names a file, but the document came without a folder; expected the text itself"},
      {[](Json& o) { o["baselines"]["eager"] = "def forward(x, weight):\n"; },
       "baselines.eager: always there, it is the reference itself; expected another name"},
      {[](Json& o) { o["baselines"]["compile"] = "def forward(x, weight):\n"; },
       "baselines.compile: means something else in measurements; expected another name"},
      {[](Json& o) { o["baselines"]["other"] = "def f(x):\n"; },
       "baselines.other: no function forward found; expected a line that starts with \"def forward(\""},
      {[](Json& o) { o["workloads"]["small"]["axes"].erase("B"); },
       "workloads.small.axes: missing axis 'B'; expected a size for every axis"},
      {[](Json& o) { o["workloads"]["small"]["axes"]["C"] = 1; },
       "workloads.small.axes: unknown axis 'C'; known axes: B, N"},
      {[](Json& o) { o["workloads"]["small"]["axes"]["N"] = std::int64_t{1} << 40; },
       "workloads.small.axes: shape of x: more than 2^40 elements; expected a smaller tensor"},
      {[](Json& o) { o["inputs"]["x"]["shape"][1] = "N - 64"; },
       "workloads.small.axes: shape of x: dimension 1 (\"N - 64\") is 0; expected at least 1"},
      {[](Json& o) {
         o["workloads"]["small"]["holdouts"][0] = {{"N", 3}};
       },
       "workloads.small.holdouts[0].N: the axis is constant; expected variable axes only"},
      {[](Json& o) { o["workloads"]["small"]["holdouts"][0] = Json::object(); },
       "workloads.small.holdouts[0]: found {}; expected the size of at least one variable axis"},
      {[](Json& o) {
         o["workloads"]["big"] = o["workloads"]["small"];
         o["workloads"].erase("small");
       },
       "workloads: missing key 'small'; expected a workload of that name, for machines without a GPU"},
      {[](Json& o) { o["distributions"]["normal"]["timed"] = false; },
       "distributions: 0 of them have \"timed\": true; expected exactly one"},
      {[](Json& o) { o["distributions"]["again"] = o["distributions"]["normal"]; },
       "distributions: 2 of them have \"timed\": true; expected exactly one"},
      {[](Json& o) {
         o["distributions"]["normal"]["draws"]["wieght"] = {{"kind", "ramp"}};
       },
       "distributions.normal.draws: unknown input 'wieght'; did you mean 'weight'? known inputs: *, weight, "
       "x"},
      {[](Json& o) {
         o["distributions"]["normal"]["draws"] = {{"x", {{"kind", "ramp"}}}};
       },
       "distributions.normal.draws: input 'weight' is not drawn; expected an entry for it, or '*'"},
      {[](Json& o) {
         o["distributions"]["normal"]["draws"]["x"] = {{"kind", "uniform"}, {"low", 2}, {"high", 1}};
       },
       "distributions.normal.draws.x: low 2 is above high 1; expected it below or equal"},
      {[](Json& o) { o["cost"]["bytes"] = "BLOCK"; },
       "cost.bytes: unknown name 'BLOCK' in \"BLOCK\"; known names: B, N"},
      {[](Json& o) { o["cost"]["flops"] = "N - 100"; },
       "cost.flops: is -36 at workload small; expected at least 0"},
  };
  for (const BadOperator& bad : cases) {
    Json document = fixture::operator_document();
    bad.change(document);
    const auto op = parse_operator(document, "operator.json");
    INFO(bad.expected);
    REQUIRE_FALSE(op);
    CHECK(op.error().message == "operator.json: " + bad.expected);
  }
}

}  // namespace
}  // namespace kevolve
