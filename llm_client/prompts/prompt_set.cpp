// Where the prompts' texts come from: compiled in, or a folder of overrides.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text/json.hpp"
#include "core/text/utf8.hpp"
#include "llm_client/prompts/messages.hpp"
#include "llm_client/prompts/prompt_values.hpp"
#include "llm_client/prompts/template.hpp"

namespace kevolve::llm {

// Made by CMake from the *.md files beside this one.
extern const char* const kPrompt_system;
extern const char* const kPrompt_contract;
extern const char* const kPrompt_round;
extern const char* const kPrompt_device_cpu;
extern const char* const kPrompt_device_sm_90a;
extern const char* const kPrompt_ideas;
extern const char* const kPrompt_implement;
extern const char* const kPrompt_repair;
extern const char* const kPrompt_improve;

namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> texts_of_program() {
  return {{"system", kPrompt_system},
          {"contract", kPrompt_contract},
          {"round", kPrompt_round},
          {"device_cpu", kPrompt_device_cpu},
          {"device_sm_90a", kPrompt_device_sm_90a},
          {"ideas", kPrompt_ideas},
          {"implement", kPrompt_implement},
          {"repair", kPrompt_repair},
          {"improve", kPrompt_improve}};
}

Result<void> check_values(const std::string& prompt, const std::string& text) {
  const std::set<std::string> known = known_values(prompt);
  for (const std::string& name : value_names(text)) {
    if (known.contains(name)) continue;
    if (known.empty())
      return failure(fmt::format("unknown value {{{{{}}}}}; expected none: this text takes no values", name));
    return failure(fmt::format("unknown value {{{{{}}}}}; expected one of {}", name, fmt::join(known, ", ")));
  }
  return {};
}

Result<void> override_one(PromptSet& prompts, const fs::path& file) {
  const std::string stem = file.stem().string();
  if (file.extension() != ".md" || !prompts.texts.contains(stem)) {
    return failure(fmt::format("{}: not the name of a prompt; expected one of {}.md", file.string(),
                               fmt::join(prompt_names(), ".md, ")));
  }
  auto text = read_text_file(file);
  if (!text) return failure(text.error());
  if (const auto known = check_values(stem, *text); !known) return failure(known.error().in(file.string()));
  prompts.texts[stem] = readable(*text);
  return {};
}

}  // namespace

Result<PromptSet> load_prompts(const std::optional<fs::path>& overrides) {
  PromptSet prompts{texts_of_program()};
  if (!overrides) return prompts;
  std::error_code code;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(*overrides, code), end; !code && it != end; it.increment(code)) {
    if (!it->path().filename().string().starts_with(".")) files.push_back(it->path());
  }
  if (code) {
    return failure(fmt::format("{}: cannot be read: {}; expected a folder with prompts (*.md)",
                               overrides->string(), code.message()));
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (const auto done = override_one(prompts, file); !done) return failure(done.error());
  }
  return prompts;
}

}  // namespace kevolve::llm
