// The contract's worked example, taken out of the text that a model reads and given to the judge.

#include <unistd.h>

#include <fstream>

#include "core/process/command.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "tests/unit/llm_prompts/fixture.hpp"

using namespace kevolve;
using namespace kevolve::testing;

TEST_CASE("the contract's example is right and fast enough to be timed on the cpu device") {
  const auto found = parse_candidates(prompts().texts.at("contract"), Finish::stop);
  REQUIRE(found);
  std::string file = (std::filesystem::temp_directory_path() / "kevolve-example-XXXXXX").string();
  const int descriptor = ::mkstemp(file.data());
  REQUIRE(descriptor >= 0);
  ::close(descriptor);
  std::ofstream(file) << found->sources.at(0);
  CommandLimits limits;
  limits.deadline = std::chrono::minutes(4);
  const auto result =
      run_command({KEVOLVE_BIN_DIR "/kevolve", "evaluate", file, "--operator",
                   KEVOLVE_SOURCE_DIR "/tests/unit/llm_prompts/peak_distance", "--device", "cpu"},
                  "", limits);
  std::filesystem::remove(file);
  if (!result) FAIL(result.error().message);
  INFO(result->out << result->err);
  CHECK(result->exit_code == 0);
  CHECK(result->out.find("passed") != std::string::npos);
}
