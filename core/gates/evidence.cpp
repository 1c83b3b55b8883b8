#include "core/gates/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/gates/host_examination.hpp"

namespace kevolve::gates {
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

bool nearly_all(std::size_t count, std::size_t of) {
  return static_cast<double>(count) >= kNearlyAll * static_cast<double>(of);
}

/// The sampled wrong elements, and what is asked about them; each side is fetched once, when it is needed.
class Sample {
 public:
  Sample(const Layout& layout, std::size_t elements, const std::vector<std::size_t>& indices,
         const Look& look)
      : layout_(layout), elements_(elements), indices_(indices), look_(look) {
    answer_ = look(Side::answer, indices);
    oracle_ = look(Side::oracle, indices);
  }

  [[nodiscard]] const std::vector<double>& answer() const { return answer_; }
  [[nodiscard]] const std::vector<double>& oracle() const { return oracle_; }
  [[nodiscard]] std::size_t size() const { return indices_.size(); }

  /// follows(k) for the k-th sampled element.
  template <class Follows>
  [[nodiscard]] bool nearly_all_follow(Follows follows) const {
    std::size_t count = 0;
    for (std::size_t k = 0; k < size(); ++k) count += follows(k) ? 1 : 0;
    return nearly_all(count, size());
  }

  /// Nearly all hold what belongs `by` elements later.
  [[nodiscard]] bool shifted(std::ptrdiff_t by) const {
    return hold_those_at(
        [&](std::size_t i) {
          const auto from = static_cast<std::ptrdiff_t>(i) + by;
          return from >= 0 && from < static_cast<std::ptrdiff_t>(elements_) ? static_cast<std::size_t>(from)
                                                                            : i;
        },
        true);
  }

  /// Nearly all hold what belongs where rows and columns are exchanged.
  [[nodiscard]] bool transposed() const {
    return layout_.matrix && hold_those_at(
                                 [&](std::size_t i) {
                                   const std::size_t row = i / layout_.columns, column = i % layout_.columns;
                                   return layout_.rows == layout_.columns
                                              ? column * layout_.columns + row
                                              : (i % layout_.rows) * layout_.columns + i / layout_.rows;
                                 },
                                 false);
  }

 private:
  /// from(i) is i where there is no such place.
  template <class From>
  [[nodiscard]] bool hold_those_at(From from, bool other_than_0) const {
    std::vector<std::size_t> places;
    for (const std::size_t i : indices_) places.push_back(from(i));
    const std::vector<double> there = look_(Side::oracle, places);
    return nearly_all_follow([&](std::size_t k) {
      return places[k] != indices_[k] && (there[k] != 0 || !other_than_0) && close(answer_[k], there[k]) &&
             !close(answer_[k], oracle_[k]);
    });
  }

  const Layout& layout_;
  std::size_t elements_;
  const std::vector<std::size_t>& indices_;
  const Look& look_;
  std::vector<double> answer_, oracle_;
};

std::string range_text(std::string_view what, std::size_t low, std::size_t high) {
  if (low == high) return fmt::format("{} {}", what, low);
  return fmt::format("{}s {} to {}", what, low, high);
}

/// "all in rows 96 to 99", "all in columns 4093 to 4095", or "" when they are all over the place.
std::string place_text(const Layout& layout, const Wrong& wrong) {
  std::vector<std::string> places;
  if (layout.rows > 1 && wrong.row_high - wrong.row_low + 1 < layout.rows) {
    places.push_back(range_text("row", wrong.row_low, wrong.row_high));
  }
  if (layout.columns > 1 && wrong.column_high - wrong.column_low + 1 < layout.columns) {
    const bool tail = wrong.column_high + 1 == layout.columns;
    places.push_back(range_text(tail ? "the tail, column" : "column", wrong.column_low, wrong.column_high));
  }
  return places.empty() ? "" : fmt::format("all in {}", fmt::join(places, ", "));
}

std::string size_text(const Elements& answer, const Wrong& wrong) {
  if (wrong.count == answer.count) return answer.count == 1 ? "The only element" : "Every element";
  if (wrong.count == 1) return fmt::format("1 of {} elements", answer.count);
  const double percent = 100.0 * static_cast<double>(wrong.count) / static_cast<double>(answer.count);
  if (percent < 0.1) return fmt::format("{} of {} elements", wrong.count, answer.count);
  return fmt::format("{:.1f} % of the elements", percent);
}

std::string factor_text(const Sample& sample) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < sample.size(); ++k) {
    const double oracle = sample.oracle()[k];
    if (oracle != 0 && std::isfinite(oracle)) ratios.push_back(sample.answer()[k] / oracle);
  }
  if (ratios.size() < kPatternLeast ||
      !std::all_of(ratios.begin(), ratios.end(), [](double r) { return std::isfinite(r); })) {
    return "";
  }
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2),
                   ratios.end());
  const double factor = ratios[ratios.size() / 2];
  if (std::abs(factor - 1) < 0.01) return "";
  const bool holds = sample.nearly_all_follow(
      [&](std::size_t k) { return close(sample.answer()[k], factor * sample.oracle()[k]); });
  return holds ? fmt::format("They are wrong by the constant factor {}.", number_text(factor)) : "";
}

/// One guess at the mistake, or "".
std::string pattern_text(const Sample& sample) {
  const auto& answer = sample.answer();
  if (sample.nearly_all_follow([&](std::size_t k) { return answer[k] == 0; })) return "They are 0.";
  if (sample.nearly_all_follow([&](std::size_t k) { return std::isnan(answer[k]); })) return "They are NaN.";
  if (sample.shifted(1)) return "Each holds what belongs one element later.";
  if (sample.shifted(-1)) return "Each holds what belongs one element earlier.";
  if (sample.transposed()) return "The answer looks transposed.";
  return factor_text(sample);
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

std::string describe_wrong(const Expectation& expected, const Elements& answer, const Wrong& wrong,
                           std::optional<std::uint8_t> poison, const Look& look) {
  const Layout layout = layout_of(expected.shape, answer.count);
  const bool unwritten = poison && nearly_all(wrong.unwritten, wrong.count);
  const std::size_t worst[] = {wrong.worst};
  const double right = is_floating(answer.dtype) ? overflowed(look(Side::oracle, worst)[0], answer.dtype)
                                                 : look(Side::torch, worst)[0];
  std::string text = fmt::format(
      "{} is {}, expected {} (draw '{}').", element_name(expected.output, expected.shape, wrong.worst),
      unwritten ? "unwritten" : number_text(look(Side::answer, worst)[0]), number_text(right), expected.draw);
  const std::string place = place_text(layout, wrong);
  text += fmt::format(" {} {} {}{}.", size_text(answer, wrong),
                      wrong.count == 1 || wrong.count == answer.count ? "is" : "are",
                      unwritten ? "unwritten" : "wrong", place.empty() ? "" : ", " + place);
  if (unwritten || wrong.sample.size() < kPatternLeast) return text;
  const std::string pattern = pattern_text(Sample(layout, answer.count, wrong.sample, look));
  return pattern.empty() ? text : text + " " + pattern;
}

std::string describe_wrong(const Expectation& expected, const Elements& answer,
                           const std::vector<std::size_t>& wrong, std::size_t worst,
                           std::optional<std::uint8_t> poison) {
  HostExamination host;
  return describe_wrong(expected, answer, summary_of(wrong, worst, expected, answer, poison), poison,
                        [&](Side side, std::span<const std::size_t> indices) {
                          return host.look(expected, answer, side, indices);
                        });
}

}  // namespace kevolve::gates
