// The whole way of the baseline "compile", on the processor: scripts/compiled_baseline.py makes packages, the
// judge loads them, compares them with the oracle and times them.

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/devices/host_memory.hpp"
#include "core/judge/judge.hpp"
#include "core/process/command.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace devices;
using namespace gates;
using namespace judge;
using namespace process;
namespace {

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

constexpr Seed kSeed{{5, 6}};

std::string python() {
  const char* named = std::getenv("KEVOLVE_PYTHON");
  return named == nullptr ? "python3" : named;
}

bool python_has_torch() {
  const auto result =
      run_command({python(), "-c", "import torch; print(torch.__version__.split('+')[0])"}, "", {});
  return result && result->exit_code == 0 && result->out == torch_version() + "\n";
}

/// What forward needs besides inputs, what Python's torch keeps elsewhere, and two outputs.
constexpr const char* kOperator = R"json({ "name": "probe", "description": "A probe.",
    "axes": { "ROWS": { "kind": "constant", "description": "rows" }, "L": { "kind": "constant", "description": "length" } },
    "scalars": { "SCALE": { "dtype": "f32", "value": 0.1 } },
    "inputs": { "x": { "dtype": "f32", "shape": ["ROWS", "2 * (L + 1) / 2 - 1"] }, "w": { "dtype": "f32", "shape": ["L"] } },
    "outputs": { "y": { "dtype": "f32", "shape": ["ROWS", "L"] }, "s": { "dtype": "f32", "shape": ["ROWS"] } },
    "reference": ["def forward(SCALE: float, w: Tensor, x: Tensor, L: int) -> Tuple[Tensor, Tensor]:",
                  "    y = torch.gelu(SCALE * x) * w", "    return y, y.sum(1) / L"],
    "workloads": { "small": { "axes": { "ROWS": 16, "L": 501 } } },
    "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal" } } } },
    "precision": "strict_fp32", "cost": { "bytes": "8 * ROWS * L", "flops": "ROWS * L" } })json";

Operator probe() {
  auto op = parse_operator(*parse_json(kOperator, "probe"), "probe");
  if (!op) FAIL(op.error().message);
  return *op;
}

/// The machine in the script's own words: it names the package by them.
PackagePlace place_in(const fs::path& cache) {
  PackagePlace place{cache / "baselines", "", "", "cpu"};
  for (const auto& entry : fs::recursive_directory_iterator(place.folder)) {
    if (entry.path().extension() != ".json") continue;
    const Json facts = *parse_json(*read_text_file(entry.path()), "facts");
    place.model = facts["model"];
    place.architecture = facts["architecture"];
  }
  return place;
}

struct Folder {
  Folder() { fs::create_directories(path / "probe"); }
  ~Folder() { fs::remove_all(path); }
  const fs::path path =
      fs::temp_directory_path() / ("kevolve_compiled_baseline_test_" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("a package that the script makes is loaded, compared and timed") {
  if (!python_has_torch()) {
    WARN("SKIPPED: " << python() << " has no torch " << torch_version()
                     << "; set KEVOLVE_PYTHON to one that has");
    return;
  }
  const Folder folder;
  std::ofstream(folder.path / "probe/operator.json") << kOperator;
  const auto made = run_command(
      {python(), KEVOLVE_SOURCE_DIR "/scripts/compiled_baseline.py", (folder.path / "probe").string(),
       "small", "--device", "cpu", "--threads", "2", "--cache", folder.path.string()},
      "", {.deadline = std::chrono::minutes(8)});
  REQUIRE(made);
  CAPTURE(made->out, made->err);
  REQUIRE(made->exit_code == 0);

  HostMemory memory;
  const PackagePlace place = place_in(folder.path);
  const auto judge = Judge::create(probe(), 2, memory, place);
  REQUIRE(judge);
  const Bindings& axes = (*judge)->op().workloads[0].axes;
  const auto missing = (*judge)->missing("compile", axes);
  if (!missing) FAIL(missing.error().message);
  REQUIRE_FALSE(missing->has_value());
  const auto draw = (*judge)->draw(axes, (*judge)->op().distributions[0], kSeed, 0);
  REQUIRE(draw);
  const auto time = (*judge)->time_us("compile", *draw);
  if (!time) FAIL(time.error().message);
  CHECK(*time > 0);

  PackagePlace elsewhere = place;
  elsewhere.model += " and another";
  const auto moved = package_path(elsewhere, probe(), axes, torch_version());
  const auto package = package_path(place, probe(), axes, torch_version());
  fs::copy_file(package, moved);
  fs::copy_file(fs::path(package).replace_extension(".json"), fs::path(moved).replace_extension(".json"));
  const auto other = Judge::create(probe(), 2, memory, elsewhere);
  REQUIRE(other);
  const auto refused = (*other)->missing("compile", axes);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, ContainsSubstring("made for another model"));
}

}  // namespace kevolve
