// Everything that a fuzzer ever found worth keeping, through the same functions with the ordinary compiler.

#include <unistd.h>

#include <fstream>

#include "core/text/json.hpp"
#include "tests/catch.hpp"
#include "tests/fuzz/corpus.hpp"
#include "tests/fuzz/targets.hpp"

using namespace kevolve;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

const fs::path kCorpus = KEVOLVE_SOURCE_DIR "/tests/fuzz/corpus";

/// A folder that is gone when the test ends.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("kevolve_corpus_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("the corpus passes") {
  for (const fuzz::Target& target : fuzz::targets()) {
    INFO(target.name);
    const auto bundle = fuzz::read_bundle(kCorpus / (std::string(target.name) + ".zst"));
    if (!bundle) FAIL(bundle.error().message);
    CHECK(bundle->size() >= 20);
    for (const std::string& input : *bundle) {
      INFO(input);
      target.run(input);
    }
  }
}

TEST_CASE("the named regressions pass") {
  for (const fuzz::Target& target : fuzz::targets()) {
    int replayed = 0;
    for (const auto& file : fs::directory_iterator(kCorpus / target.name)) {
      INFO(file.path().string());
      const auto data = read_text_file(file.path());
      REQUIRE(data);
      target.run(*data);
      ++replayed;
    }
    INFO(target.name);
    CHECK(replayed >= 1);
  }
}

TEST_CASE("a bundle holds what was packed, each input once and in order") {
  const Folder folder;
  const fs::path file = folder.path / "bundle.zst";
  const std::string zeros(300, '\0');
  REQUIRE(fuzz::write_bundle(file, {"b\n", zeros, "", "a", "b\n"}));
  CHECK(*fuzz::read_bundle(file) == std::vector<std::string>{"", zeros, "a", "b\n"});
}

TEST_CASE("a bundle that is missing, empty or damaged is an error") {
  const Folder folder;
  const fs::path file = folder.path / "bundle.zst";
  CHECK_FALSE(fuzz::read_bundle(file));
  write(file, "");
  CHECK_THAT(fuzz::read_bundle(file).error().message, ContainsSubstring("damaged"));
  REQUIRE(fuzz::write_bundle(file, {std::string(1000, 'x')}));
  const std::string whole = *read_text_file(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(file, whole.substr(0, size));
    CHECK_FALSE(fuzz::read_bundle(file));
  }
  CHECK_FALSE(fuzz::write_bundle(file, {}));
}
