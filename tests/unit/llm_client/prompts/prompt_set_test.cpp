#include <unistd.h>

#include <fstream>

#include "llm_client/prompts/prompt_values.hpp"
#include "tests/unit/llm_client/prompts/fixture.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using namespace kevolve::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A folder of overrides that is removed at the end.
class Overrides {
 public:
  Overrides() {
    std::string name = (std::filesystem::temp_directory_path() / "kevolve-prompts-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Overrides() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Overrides(const Overrides&) = delete;
  Overrides& operator=(const Overrides&) = delete;
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }

  std::filesystem::path path;
};

}  // namespace

TEST_CASE("the program brings all its prompts, and they use known values only") {
  const PromptSet set = prompts();
  for (const std::string& name : prompt_names()) {
    INFO(name);
    REQUIRE(set.texts.contains(name));
    CHECK(set.texts.at(name).size() > 200);
    for (const std::string& value : value_names(set.texts.at(name)))
      CHECK(known_values(name).contains(value));
  }
  CHECK(set.texts.size() == prompt_names().size());
}

TEST_CASE("every value that may be used is documented") {
  const auto page = read_text_file(KEVOLVE_SOURCE_DIR "/docs/prompts.md");
  REQUIRE(page);
  for (const std::string& prompt : prompt_names()) {
    CHECK_THAT(*page, ContainsSubstring("`" + prompt + "`"));
    for (const std::string& value : known_values(prompt))
      CHECK_THAT(*page, ContainsSubstring("`" + value + "`"));
  }
}

TEST_CASE("a file of the same name takes a prompt's place, the others stay") {
  const Overrides folder;
  folder.write("ideas.md", "Give {{ count }} ideas for {{operator_name}}; float a[2] = {{0}};");
  folder.write(".ideas.md.swp", "an editor's");
  const auto set = load_prompts(folder.path);
  if (!set) FAIL(set.error().message);
  CHECK(set->texts.at("system") == prompts().texts.at("system"));
  const Operator op = peak_distance();
  CHECK(ideas_messages(*set, known_round(op), 3, {}).back().text ==
        "Give 3 ideas for peak_distance; float a[2] = {{0}};");
}

TEST_CASE("unknown values, names and folders are refused with the known ones") {
  const Overrides folder;
  folder.write("ideas.md", "{{cuont}} ideas");
  auto set = load_prompts(folder.path);
  REQUIRE_FALSE(set);
  CHECK_THAT(set.error().message,
             ContainsSubstring("ideas.md: unknown value {{cuont}}; expected one of axes, count, "));
  folder.write("ideas.md", "{{way}} belongs to another prompt");
  CHECK_FALSE(load_prompts(folder.path));
  folder.write("ideas.md", "fine");
  folder.write("device_cpu.md", "{{device}}");
  CHECK_THAT(load_prompts(folder.path).error().message, ContainsSubstring("takes no values"));
  folder.write("device_cpu.md", "fine");
  folder.write("idea.md", "fine");
  CHECK_THAT(load_prompts(folder.path).error().message,
             ContainsSubstring("idea.md: not the name of a prompt; expected one of system.md, contract.md"));
  CHECK_THAT(load_prompts(folder.path / "absent").error().message,
             ContainsSubstring("expected a folder with prompts"));
}
