#pragma once
// Evidence: which elements of an answer are wrong, in words from which the mistake can be guessed.
// Only patterns that hold for nearly all wrong elements are named. Pure logic.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/gates/examination.hpp"

namespace kevolve::gates {

/// "y[3,17]"
std::string element_name(const std::string& tensor, const std::vector<std::int64_t>& shape,
                         std::size_t index);
/// A number as evidence prints it: 6 significant digits.
std::string number_text(double value);

/// Values of one side at given indices, wherever they lie.
using Look = std::function<std::vector<double>(Side, std::span<const std::size_t>)>;

/// "y[3,17] is 0, expected 0.71 (draw 'large_mean'). 4.0 % of the elements (rows 96 to 99) are wrong. …"
/// At least one element is wrong. Reads no element of `expected` and `answer` but through `look`.
std::string describe_wrong(const Expectation& expected, const Elements& answer, const Wrong& wrong,
                           std::optional<std::uint8_t> poison, const Look& look);

/// The same of tensors in the host's memory. `wrong` holds the flat indices of the wrong elements, ascending,
/// at least one; `worst` is the one to name.
std::string describe_wrong(const Expectation& expected, const Elements& answer,
                           const std::vector<std::size_t>& wrong, std::size_t worst,
                           std::optional<std::uint8_t> poison);

}  // namespace kevolve::gates
