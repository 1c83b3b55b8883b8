#include "core/gates/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kevolve {
namespace {

constexpr double kNearlyAll = 0.95;       // a pattern is named when so much of the wrong elements follows it
constexpr std::size_t kPatternLeast = 8;  // and when there are as many

struct Layout {
  std::size_t rows = 1, columns = 1;  // the innermost dimension, and all others together
  bool matrix = false;                // exactly two dimensions
};

Layout layout_of(const std::vector<std::int64_t>& shape, std::size_t count) {
  Layout layout;
  layout.columns = shape.empty() ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(shape.back()));
  layout.rows = count / layout.columns;
  layout.matrix = shape.size() == 2 && layout.rows > 1 && layout.columns > 1;
  return layout;
}

bool close(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b));
}

/// Share of the wrong elements that follow a pattern; patterns that do not apply to an element do not follow
/// it.
template <class Follows>
bool nearly_all(const std::vector<std::size_t>& wrong, Follows follows) {
  const auto count = std::count_if(wrong.begin(), wrong.end(), follows);
  return static_cast<double>(count) >= kNearlyAll * static_cast<double>(wrong.size());
}

std::string range_text(std::string_view what, std::size_t low, std::size_t high) {
  if (low == high) return fmt::format("{} {}", what, low);
  return fmt::format("{}s {} to {}", what, low, high);
}

/// "all in rows 96 to 99", "all in columns 4093 to 4095", or "" when they are all over the place.
std::string place_text(const Layout& layout, const std::vector<std::size_t>& wrong) {
  std::size_t row_low = layout.rows, row_high = 0, column_low = layout.columns, column_high = 0;
  for (const std::size_t i : wrong) {
    row_low = std::min(row_low, i / layout.columns), row_high = std::max(row_high, i / layout.columns);
    column_low = std::min(column_low, i % layout.columns);
    column_high = std::max(column_high, i % layout.columns);
  }
  std::vector<std::string> places;
  if (layout.rows > 1 && row_high - row_low + 1 < layout.rows) {
    places.push_back(range_text("row", row_low, row_high));
  }
  if (layout.columns > 1 && column_high - column_low + 1 < layout.columns) {
    const bool tail = column_high + 1 == layout.columns;
    places.push_back(range_text(tail ? "the tail, column" : "column", column_low, column_high));
  }
  return places.empty() ? "" : fmt::format("all in {}", fmt::join(places, ", "));
}

std::string size_text(const Elements& answer, const std::vector<std::size_t>& wrong) {
  if (wrong.size() == answer.count) return answer.count == 1 ? "The only element" : "Every element";
  if (wrong.size() == 1) return fmt::format("1 of {} elements", answer.count);
  const double percent = 100.0 * static_cast<double>(wrong.size()) / static_cast<double>(answer.count);
  if (percent < 0.1) return fmt::format("{} of {} elements", wrong.size(), answer.count);
  return fmt::format("{:.1f} % of the elements", percent);
}

/// One guess at the mistake, or "".
std::string pattern_text(const Expectation& expected, const Elements& answer, const Layout& layout,
                         const std::vector<std::size_t>& wrong) {
  if (wrong.size() < kPatternLeast) return "";
  const auto oracle = expected.oracle;
  if (nearly_all(wrong, [&](std::size_t i) { return answer.at(i) == 0; })) return "They are 0.";
  if (nearly_all(wrong, [&](std::size_t i) { return std::isnan(answer.at(i)); })) return "They are NaN.";
  const auto shifted = [&](std::ptrdiff_t by) {
    return nearly_all(wrong, [&](std::size_t i) {
      const auto from = static_cast<std::ptrdiff_t>(i) + by;
      return from >= 0 && from < static_cast<std::ptrdiff_t>(answer.count) && oracle[from] != 0 &&
             close(answer.at(i), oracle[from]) && !close(answer.at(i), oracle[i]);
    });
  };
  if (shifted(1)) return "Each holds what belongs one element later.";
  if (shifted(-1)) return "Each holds what belongs one element earlier.";
  if (layout.matrix && nearly_all(wrong, [&](std::size_t i) {  // as if rows and columns had been exchanged
        const std::size_t row = i / layout.columns, column = i % layout.columns;
        const std::size_t from = layout.rows == layout.columns
                                     ? column * layout.columns + row
                                     : (i % layout.rows) * layout.columns + i / layout.rows;
        return from != i && close(answer.at(i), oracle[from]) && !close(answer.at(i), oracle[i]);
      })) {
    return "The answer looks transposed.";
  }
  std::vector<double> ratios;
  for (const std::size_t i : wrong) {
    if (oracle[i] != 0 && std::isfinite(oracle[i])) ratios.push_back(answer.at(i) / oracle[i]);
  }
  if (ratios.size() < kPatternLeast ||
      !std::all_of(ratios.begin(), ratios.end(), [](double r) { return std::isfinite(r); })) {
    return "";
  }
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2),
                   ratios.end());
  const double factor = ratios[ratios.size() / 2];
  if (std::abs(factor - 1) < 0.01) return "";
  if (nearly_all(wrong, [&](std::size_t i) { return close(answer.at(i), factor * oracle[i]); })) {
    return fmt::format("They are wrong by the constant factor {}.", number_text(factor));
  }
  return "";
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  return fmt::format("{:.6g}", value);
}

std::string element_name(const std::string& tensor, const std::vector<std::int64_t>& shape,
                         std::size_t index) {
  if (shape.empty()) return tensor;
  std::vector<std::size_t> position(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    const auto extent = std::max<std::size_t>(1, static_cast<std::size_t>(shape[d]));
    position[d] = index % extent;
    index /= extent;
  }
  return fmt::format("{}[{}]", tensor, fmt::join(position, ","));
}

std::string describe_wrong(const Expectation& expected, const Elements& answer,
                           const std::vector<std::size_t>& wrong, std::size_t worst,
                           std::optional<std::uint8_t> poison) {
  const Layout layout = layout_of(expected.shape, answer.count);
  const bool unwritten =
      poison && nearly_all(wrong, [&](std::size_t i) { return holds_poison(answer, i, *poison); });
  const double oracle = overflowed(expected.oracle[worst], answer.dtype);
  std::string text =
      fmt::format("{} is {}, expected {} (draw '{}').", element_name(expected.output, expected.shape, worst),
                  unwritten ? "unwritten" : number_text(answer.at(worst)),
                  number_text(is_floating(answer.dtype) ? oracle : expected.torch.at(worst)), expected.draw);
  const std::string place = place_text(layout, wrong);
  text += fmt::format(" {} {} {}{}.", size_text(answer, wrong),
                      wrong.size() == 1 || wrong.size() == answer.count ? "is" : "are",
                      unwritten ? "unwritten" : "wrong", place.empty() ? "" : ", " + place);
  const std::string pattern = unwritten ? "" : pattern_text(expected, answer, layout, wrong);
  return pattern.empty() ? text : text + " " + pattern;
}

}  // namespace kevolve
