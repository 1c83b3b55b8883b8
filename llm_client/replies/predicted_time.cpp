#include "llm_client/replies/predicted_time.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "core/text/utf8.hpp"

namespace kevolve::llm {
namespace {

constexpr double kMostUs = 1e12;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number at the front of `text`, which is shortened by it; "1,200" is 1200.
std::optional<double> take_number(std::string_view& text) {
  std::string digits;
  std::size_t at = 0;
  const auto digit_at = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
  while (at < text.size() && at < 40) {
    const char c = text[at];
    const bool thousands =
        c == ',' && digit_at(at + 1) && digit_at(at + 2) && digit_at(at + 3) && !digit_at(at + 4);
    const bool exponent = (c == 'e' || c == 'E') && !digits.empty() &&
                          (digit_at(at + 1) ||
                           ((text.substr(at + 1).starts_with('-') || text.substr(at + 1).starts_with('+')) &&
                            digit_at(at + 2)));
    if (exponent) {
      digits += c;
      digits += text[++at];
    } else if (is_digit(c) || c == '.') {
      digits += c;
    } else if (!thousands) {
      break;
    }
    ++at;
  }
  if (digits.empty() || digits == ".") return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (*end != '\0' || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(at);
  return value;
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n')) text.remove_prefix(1);
}

/// One of the words that may stand before a time, or between the two of a range.
bool take_word(std::string_view& text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (!text.starts_with(word)) continue;
    text.remove_prefix(word.size());
    skip_spaces(text);
    return true;
  }
  return false;
}

/// Microseconds in one unit, whose name is taken off the text.
std::optional<double> take_unit(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, double>, 16> kUnits = {{{"microseconds", 1},
                                                                           {"microsecond", 1},
                                                                           {"milliseconds", 1e3},
                                                                           {"millisecond", 1e3},
                                                                           {"nanoseconds", 1e-3},
                                                                           {"usec", 1},
                                                                           {"msec", 1e3},
                                                                           {"us", 1},
                                                                           {"\xC2\xB5s", 1},
                                                                           {"\xCE\xBCs", 1},
                                                                           {"ms", 1e3},
                                                                           {"ns", 1e-3},
                                                                           {"seconds", 1e6},
                                                                           {"second", 1e6},
                                                                           {"sec", 1e6},
                                                                           {"s", 1e6}}};
  for (const auto& [name, factor] : kUnits) {
    if (!text.starts_with(name)) continue;
    const char next = text.size() > name.size() ? text[name.size()] : ' ';
    if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')) continue;
    text.remove_prefix(name.size());
    return factor;
  }
  return std::nullopt;
}

std::optional<double> time_of(std::string_view text, std::string_view unit) {
  skip_spaces(text);
  while (take_word(text, {"~", "<=", "<", "=", "\xE2\x89\x88", "\xE2\x89\xA4", "about ", "approximately ",
                          "approx. ", "approx ", "around ", "roughly ", "circa ", "ca. ", "About ",
                          "Approximately ", "Around ", "Roughly "})) {
  }
  std::optional<double> low = take_number(text), factor;
  if (!low) return std::nullopt;
  skip_spaces(text);
  factor = take_unit(text);
  skip_spaces(text);
  if (take_word(text, {"-", "\xE2\x80\x93", "\xE2\x80\x94", "to ", "..", "\xE2\x80\xA6"})) {
    const std::optional<double> high = take_number(text);
    if (!high) return std::nullopt;
    skip_spaces(text);
    const std::optional<double> second = take_unit(text);
    if (factor && !second) return std::nullopt;
    if (factor) return (*low * *factor + *high * *second) / 2;
    low = (*low + *high) / 2;
    factor = second;
    skip_spaces(text);
  }
  // What follows a unit is a remark; what follows a bare number gives it another meaning.
  if (!factor && !text.empty() && text != ".") return std::nullopt;
  std::string_view own = unit;
  return *low * (factor ? *factor : take_unit(own).value_or(1));
}

}  // namespace

Result<double> predicted_time_us(std::string_view text, std::string_view unit) {
  const std::optional<double> time = time_of(text, unit);
  if (time && std::isfinite(*time) && *time > 0 && *time <= kMostUs) return *time;
  return failure(
      fmt::format("\"{}\" is not a time in microseconds", text.substr(0, utf8_boundary(text, 60))));
}

}  // namespace kevolve::llm
