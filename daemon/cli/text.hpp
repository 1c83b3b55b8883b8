#pragma once
// How figures and tables look on a terminal. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "core/model/expression.hpp"

namespace kevolve::cli {

std::string in_time(double microseconds);           ///< "9.31 us", "1.234 ms", "2.10 s"; "-" for 0
std::string in_tunables(const Bindings& tunables);  ///< "BLOCK=256 SPLIT=8"; "" when there are none
std::vector<std::string> wrapped(std::string_view text, std::size_t width);  ///< at spaces

/// Columns padded to their widest cell (numbers right, the rest left), two spaces between, a rule under the
/// head.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

}  // namespace kevolve::cli
