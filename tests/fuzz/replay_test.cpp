// Everything that a fuzzer ever found worth keeping, through the same functions with the ordinary compiler.

#include <filesystem>

#include "core/model/json.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/targets.hpp"

using namespace kevolve;

TEST_CASE("the corpus passes") {
  for (const fuzz::Target& target : fuzz::targets()) {
    const std::filesystem::path folder =
        std::filesystem::path(KEVOLVE_SOURCE_DIR "/tests/fuzz/corpus") / target.name;
    int replayed = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      INFO(file.path().string());
      const auto data = read_text_file(file.path());
      REQUIRE(data);
      target.run(*data);
      ++replayed;
    }
    INFO(target.name);
    CHECK(replayed >= 20);
  }
}
