// The prompts' worked examples, taken out of the texts that a model reads and given to the judge; what they
// promise of NUM_SMS, too.

#include <unistd.h>

#include <fstream>

#include "core/process/command.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "tests/unit/llm_client/prompts/fixture.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

/// `kevolve evaluate` of this source; a device that only compiles is asked for no more.
CommandResult evaluate(const std::string& source, const std::string& op, const std::string& device) {
  std::string file = (std::filesystem::temp_directory_path() / "kevolve-example-XXXXXX").string();
  const int descriptor = ::mkstemp(file.data());
  REQUIRE(descriptor >= 0);
  ::close(descriptor);
  std::ofstream(file) << source;
  CommandLimits limits;
  limits.deadline = std::chrono::minutes(4);
  const auto result = run_command({KEVOLVE_BIN_DIR "/kevolve", "evaluate", file, "--operator",
                                   KEVOLVE_SOURCE_DIR "/tests/unit/llm_client/prompts/" + op, "--device",
                                   device, "--gates", device == "cpu" ? "timing" : "inspect"},
                                  "", limits);
  std::filesystem::remove(file);
  if (!result) FAIL(result.error().message);
  return *result;
}

std::string example_of(const char* prompt) {
  const auto found = parse_candidates(prompts().texts.at(prompt), Finish::stop);
  REQUIRE(found);
  return found->sources.at(0);
}

void check_passed(const CommandResult& result) {
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("passed") != std::string::npos);
}

// Right only if the macro and the expression are the same number.
constexpr const char* kSmsInSource = R"(/*kevolve
{ "idea": "As many blocks as SMs, known at compile time.",
  "launches": [ { "kernel": "rows", "grid": ["num_sms"], "block": [1], "args": ["x", "y"] } ] }
*/
#if NUM_SMS < 1
#error a device has SMs
#endif
__global__ void rows(const float* x, float* y) {
  constexpr int kRows = (ROWS + NUM_SMS - 1) / NUM_SMS;
  for (int row = blockIdx.x * kRows; row < min(ROWS, (int)(blockIdx.x + 1) * kRows); ++row) {
    float peak = x[row * L];
    for (int i = 0; i < L; ++i) peak = (x[row * L + i] > peak || x[row * L + i] != x[row * L + i]) ? x[row * L + i] : peak;
    for (int i = 0; i < L; ++i) y[row * L + i] = SCALE * (peak - x[row * L + i]);
  }
}
)";

}  // namespace

TEST_CASE("the contract's example is right and fast enough to be timed on the cpu device") {
  check_passed(evaluate(example_of("contract"), "peak_distance", "cpu"));
}

TEST_CASE("both examples compile for a Hopper GPU") {
  check_passed(evaluate(example_of("contract"), "peak_distance", "cuda:sm_90a"));
  check_passed(evaluate(example_of("device_sm_90a"), "scaled_product", "cuda:sm_90a"));
}

TEST_CASE("a source knows the number of SMs on both devices") {
  check_passed(evaluate(kSmsInSource, "peak_distance", "cpu"));
  check_passed(evaluate(kSmsInSource, "peak_distance", "cuda:sm_90a"));
}
