// Every seed kernel of every operator compiles for a Hopper GPU, at each of its workloads.

#include <algorithm>

#include "core/model/operator.hpp"
#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// False when a constraint keeps the candidate from this workload.
bool compiles(Compiler& compile, const Operator& op, const fs::path& file, const Workload& workload) {
  INFO(file.string() + " at " + workload.name);
  const auto source = read_text_file(file);
  REQUIRE(source);
  const auto header = parse_candidate(*source, op, file.string());
  INFO((header ? std::string() : header.error().message));
  REQUIRE(header);
  const auto plan = resolve(*header, op, workload.axes, default_tunables(*header), compile->limits());
  if (!plan) {
    INFO(plan.error().evidence);
    CHECK(plan.error().outcome == Outcome::not_applicable);
    return false;
  }
  const auto binary = compile(*source, *plan);
  INFO((binary ? std::string() : binary.error().evidence));
  REQUIRE(binary);
  for (const auto& launch : plan->launches)
    CHECK(binary->report.resources.count(launch.kernel + ".registers") == 1);
  CHECK(binary->report.binary_bytes > 0);
  return true;
}

}  // namespace

TEST_CASE("every seed compiles for sm_90a") {
  Compiler compile;
  int seeds = 0;
  for (const auto& folder : entries(fs::path(KEVOLVE_SOURCE_DIR) / "kernels/seed")) {
    if (!fs::exists(folder / "operator.json")) continue;
    const auto op = load_operator(folder);
    INFO((op ? std::string() : op.error().message));
    REQUIRE(op);
    const auto files = op->candidate_files();
    REQUIRE(files);
    for (const auto& file : *files) {
      int applicable = 0;
      for (const auto& workload : op->workloads) applicable += compiles(compile, *op, file, workload) ? 1 : 0;
      INFO(file.string());
      CHECK(applicable > 0);
      ++seeds;
    }
  }
  CHECK(seeds > 0);
  WARN(seeds << " seeds compiled");
}

}  // namespace kevolve
