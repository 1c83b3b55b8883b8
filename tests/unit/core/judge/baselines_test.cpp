// What PyTorch can do for an operator, without Python: the operator's own expressions, and which compiled
// packages are refused before anything of them is loaded.

#include <unistd.h>

#include <fstream>

#include "core/devices/host_memory.hpp"
#include "core/judge/judge.hpp"
#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace devices;
using namespace gates;
using namespace judge;
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr Seed kSeed{{3, 4}};

Operator softmax() {
  const auto op = parse_operator(*parse_json(R"json({ "name": "probe", "description": "A probe.",
    "axes": { "ROWS": { "kind": "constant", "description": "rows" }, "L": { "kind": "constant", "description": "length" } },
    "scalars": { "SCALE": { "dtype": "f32", "value": 0.1 } },
    "inputs": { "x": { "dtype": "f32", "shape": ["ROWS", "L"] } },
    "outputs": { "y": { "dtype": "f32", "shape": ["ROWS", "L"] } },
    "reference": "def forward(x: Tensor, SCALE: float) -> Tensor:\n    return torch.softmax(SCALE * x, 1)\n",
    "baselines": {
      "by_hand": ["def forward(x: Tensor, SCALE: float) -> Tensor:",
                  "    e = torch.exp(SCALE * x - (SCALE * x).amax(1, True))", "    return e / e.sum(1, True)"],
      "coarse": ["def forward(x: Tensor, SCALE: float) -> Tensor:",
                 "    return torch.softmax(1.0001 * SCALE * x, 1)"],
      "narrow": ["def forward(x: Tensor, SCALE: float) -> Tensor:", "    return x.sum(1)"],
      "broken": ["def forward(x: Tensor, SCALE: float) -> Tensor:", "    return torch.no_such_thing(x)"] },
    "workloads": { "small": { "axes": { "ROWS": 8, "L": 300 } } },
    "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal", "mean": 0, "std": 20 } } } },
    "precision": "strict_fp32", "cost": { "bytes": "8 * ROWS * L", "flops": "ROWS * L" } })json",
                                             "probe"),
                                 "probe");
  if (!op) FAIL(op.error().message);
  return *op;
}

HostMemory& memory() {
  static HostMemory memory;
  return memory;
}

struct Fixture {
  explicit Fixture(PackagePlace packages = {}) {
    auto created = Judge::create(softmax(), 2, memory(), std::move(packages));
    if (!created) FAIL(created.error().message);
    judge = std::move(*created);
    auto drawn = judge->draw(axes(), judge->op().distributions[0], kSeed, 0);
    if (!drawn) FAIL(drawn.error().message);
    draw = std::move(*drawn);
  }
  [[nodiscard]] const Bindings& axes() const { return judge->op().workloads[0].axes; }
  std::string error_of(const std::string& baseline) {
    const auto time = judge->time_us(baseline, draw);
    return time ? "" : time.error().message;
  }

  std::unique_ptr<Judge> judge;
  Draw draw;
};

/// A folder of packages that goes away with the test; tests of one program run side by side.
struct Packages {
  Packages() { std::filesystem::create_directories(path.parent_path()); }
  ~Packages() { std::filesystem::remove_all(place.folder); }

  /// A file that is no package, with facts that fit it but for `changed`.
  void write(const Json& changed) const {
    std::ofstream(path) << "not a package";
    Json facts = {{"format", 1},
                  {"operator", "probe"},
                  {"reference_sha256", sha256_hex(op.reference)},
                  {"axes", {{"L", 300}, {"ROWS", 8}}},
                  {"scalars", {{"SCALE", 0.1}}},
                  {"inputs", Json::array({{{"shape", {8, 300}}, {"name", "x"}, {"dtype", "f32"}}})},
                  {"tf32", false},
                  {"torch", torch_version()},
                  {"device", "cpu"},
                  {"model", "Some CPU, 2 threads"},
                  {"architecture", "x86_64"},
                  {"package_sha256", sha256_hex("not a package")},
                  {"made_at", "whenever"}};
    facts.update(changed);
    auto beside = path;
    std::ofstream(beside.replace_extension(".json")) << facts.dump(2);
  }

  const Operator op = softmax();
  const PackagePlace place{
      std::filesystem::temp_directory_path() / ("kevolve_baselines_test_" + std::to_string(::getpid())),
      "Some CPU, 2 threads", "x86_64", "cpu"};
  const std::filesystem::path path = package_path(place, op, op.workloads[0].axes, torch_version());
};

}  // namespace

TEST_CASE("an operator's own expressions are timed") {
  Fixture f;
  for (const std::string name : {"eager", "by_hand"}) {
    CAPTURE(name);
    const auto missing = f.judge->missing(name, f.axes());
    REQUIRE(missing);
    CHECK_FALSE(missing->has_value());
    const auto time = f.judge->time_us(name, f.draw);
    REQUIRE(time);
    CHECK(*time > 0);
  }
}

TEST_CASE("a baseline that answers wrongly is not timed") {
  Fixture f;
  CHECK_THAT(f.error_of("coarse"), ContainsSubstring("operator 'probe': baseline 'coarse', draw 'normal': "));
  CHECK_THAT(f.error_of("coarse"), ContainsSubstring("y["));
  CHECK_THAT(f.error_of("narrow"), ContainsSubstring("is declared with shape [8, 300]"));
}

TEST_CASE("what is no baseline is said") {
  Fixture f;
  CHECK_THAT(f.error_of("broken"), ContainsSubstring("no_such_thing"));
  CHECK_THAT(f.error_of("sdpa"),
             ContainsSubstring("the operator has no such baseline; it has eager, compile, by_hand, coarse"));
}

TEST_CASE("what PyTorch uses for attention is seen in its call, not in the text") {
  const auto op = parse_operator(*parse_json(R"json({ "name": "probe", "description": "A probe.",
    "axes": { "S": { "kind": "constant", "description": "length" }, "D": { "kind": "constant", "description": "width" } },
    "inputs": { "x": { "dtype": "f32", "shape": ["S", "D"] } },
    "outputs": { "y": { "dtype": "f32", "shape": ["S", "D"] } },
    "reference": ["def forward(x: Tensor) -> Tensor:", "    r = x.reshape(1, 1, x.size(0), x.size(1))",
                  "    return torch.scaled_dot_product_attention(r, r, r)[0, 0]"],
    "baselines": {
      "by_hand": ["def forward(x: Tensor) -> Tensor:",
                  "    return torch.softmax(x @ x.t() / x.size(1) ** 0.5, 1) @ x"],
      "math": ["def forward(x: Tensor) -> Tensor:", "    r = x.reshape(1, 1, x.size(0), x.size(1))",
               "    return torch._scaled_dot_product_attention_math(r, r, r)[0][0, 0]"],
      "both": ["def forward(x: Tensor) -> Tensor:", "    r = x.reshape(1, 1, x.size(0), x.size(1))",
               "    f = torch.scaled_dot_product_attention(r, r, r)",
               "    return (f + torch._scaled_dot_product_attention_math(r, r, r)[0])[0, 0] / 2"] },
    "workloads": { "small": { "axes": { "S": 40, "D": 16 } } },
    "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal" } } } },
    "precision": "strict_fp32", "cost": { "bytes": "8 * S * D", "flops": "4 * S * S * D" } })json",
                                             "probe"),
                                 "probe");
  if (!op) FAIL(op.error().message);
  auto judge = Judge::create(*op, 2, memory());
  REQUIRE(judge);
  const auto draw = (*judge)->draw(op->workloads[0].axes, op->distributions[0], kSeed, 0);
  REQUIRE(draw);
  using Names = std::set<std::string>;
  const auto used = [&](const std::string& baseline) {
    if (const auto verified = (*judge)->verify(baseline, *draw); !verified) FAIL(verified.error().message);
    const auto backends = (*judge)->attention_backends(baseline, *draw);
    if (!backends) FAIL(backends.error().message);
    return *backends;
  };
  CHECK(used("eager") == Names{"flash_attention"});
  CHECK(used("by_hand") == Names{});
  CHECK(used("math") == Names{"math"});
  CHECK(used("both") == Names{"flash_attention", "math"});
  CHECK(used("eager") == Names{"flash_attention"});
}

TEST_CASE("a package that was never made is missing, which is no error") {
  Fixture nowhere;
  const auto unknown = nowhere.judge->missing("compile", nowhere.axes());
  REQUIRE(unknown);
  CHECK(unknown->has_value());
  const Packages packages;
  Fixture f(packages.place);
  const auto missing = f.judge->missing("compile", f.axes());
  REQUIRE(missing);
  REQUIRE(missing->has_value());
  CHECK_THAT(**missing,
             ContainsSubstring("probe/L=300,ROWS=8/Some_CPU_2_threads-x86_64-torch-" + torch_version() +
                               ".pt2 does not exist; scripts/compiled_baseline.py "));
  CHECK_THAT(f.error_of("compile"), ContainsSubstring("does not exist"));
}

TEST_CASE("a package of anything else is refused by name") {
  const Packages packages;
  Fixture f(packages.place);
  const std::vector<std::pair<Json, std::string>> cases{
      {{{"reference_sha256", "1234"}}, "another reference_sha256"},
      {{{"axes", {{"ROWS", 8}, {"L", 301}}}}, "another axes: {\"ROWS\":8,\"L\":301}"},
      {{{"scalars", {{"SCALE", 0.2}}}}, "another scalars"},
      {{{"inputs", Json::array()}}, "another inputs"},
      {{{"tf32", true}}, "another tf32: true"},
      {{{"torch", "2.10.0"}}, "another torch: \"2.10.0\""},
      {{{"device", "cuda"}}, "another device"},
      {{{"model", "Some CPU, 4 threads"}}, "another model"},
      {{{"architecture", "sm_90a"}}, "another architecture"},
      {{{"format", 2}}, "another format"},
      {{{"package_sha256", "00"}}, "not the package that"}};
  for (const auto& [changed, words] : cases) {
    packages.write(changed);
    const auto missing = f.judge->missing("compile", f.axes());
    CAPTURE(words);
    REQUIRE_FALSE(missing);
    CHECK_THAT(missing.error().message, ContainsSubstring(words));
    CHECK_THAT(missing.error().message, ContainsSubstring("makes it anew"));
  }
  packages.write(Json::object());  // facts that fit: only now PyTorch sees the file
  CHECK_FALSE(f.judge->missing("compile", f.axes()));
}

}  // namespace kevolve
