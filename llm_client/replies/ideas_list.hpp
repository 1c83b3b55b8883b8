#pragma once
// The last resort: ideas as a numbered Markdown list. Pure, linear.

#include <string_view>
#include <vector>

#include "core/search/idea.hpp"

namespace kevolve::llm {

/// Items that begin with "1.", "2)", "**3.**", "### 4." or "Idea 5:". Lines of an item that begin with
/// "Bottleneck:" or "Predicted …:" become the fields; items of fewer than four words are no ideas.
std::vector<search::Idea> ideas_of_list(std::string_view text);

}  // namespace kevolve::llm
