#pragma once
// How tables look on a terminal. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace kevolve::cli {

std::vector<std::string> wrapped(std::string_view text, std::size_t width);  ///< at spaces

/// Columns padded to their widest cell (numbers right, the rest left), two spaces between, a rule under the
/// head.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

}  // namespace kevolve::cli
