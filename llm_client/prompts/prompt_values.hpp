#pragma once
// The values that prompts may use: those that every text knows, and those of one task. Pure.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/search/idea.hpp"
#include "llm_client/prompts/messages.hpp"
#include "llm_client/prompts/template.hpp"

namespace kevolve::llm {

/// Names of all prompts, in the order in which a request uses them.
const std::vector<std::string>& prompt_names();

/// The names that {{…}} may hold in `prompt`.
std::set<std::string> known_values(std::string_view prompt);

/// What every text knows. `prompts` provides the device's guide.
PromptValues round_values(const PromptSet& prompts, const search::RoundContext& context);

}  // namespace kevolve::llm
