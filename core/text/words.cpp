#include "core/text/words.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "core/text/utf8.hpp"

namespace kevolve {
namespace {

std::string joined_values(const std::map<std::string, std::int64_t>& values, std::string_view is,
                          std::string_view separator) {
  std::string text;
  for (const auto& [name, value] : values)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : separator, name, is, value);
  return text;
}

/// Where a line cut to `most` bytes should end: behind its last sentence or word, if that leaves at least
/// half.
std::size_t natural_end(std::string_view line, std::size_t most) {
  for (const std::string_view stop : {". ", "; "}) {
    const std::size_t at = line.rfind(stop);
    if (at != std::string_view::npos && at >= most / 2) return at + 1;
  }
  const std::size_t blank = line.rfind(' ');
  return blank != std::string_view::npos && blank >= most / 2 ? blank : line.size();
}

}  // namespace

std::string in_time(double microseconds, Letters letters) {
  const bool ascii = letters == Letters::ascii;
  if (microseconds <= 0) return ascii ? "-" : "–";
  constexpr double kRoundsToOneMillisecond = 999.995, kRoundsToOneSecond = 999'999.5;
  if (microseconds < kRoundsToOneMillisecond)
    return fmt::format("{:.2f} {}", microseconds, ascii ? "us" : "µs");
  if (microseconds < kRoundsToOneSecond) return fmt::format("{:.3f} ms", microseconds / 1e3);
  return fmt::format("{:.2f} s", microseconds / 1e6);
}

std::string in_bytes(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:.1f} MB", bytes / 1e6);
  return bytes >= 1e3 ? fmt::format("{:.1f} kB", bytes / 1e3) : fmt::format("{:.0f} B", bytes);
}

std::string in_binary_bytes(double bytes) {
  constexpr double kKiB = 1024, kMiB = 1024 * kKiB;
  if (bytes >= kMiB) return fmt::format("{:.4g} MiB", bytes / kMiB);
  return bytes >= kKiB ? fmt::format("{:.4g} KiB", bytes / kKiB) : fmt::format("{:.0f} bytes", bytes);
}

std::string in_tunables(const std::map<std::string, std::int64_t>& values) {
  return joined_values(values, "=", " ");
}

std::string in_equations(const std::map<std::string, std::int64_t>& values) {
  return joined_values(values, " = ", ", ");
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string line;
  for (const char c : readable(text)) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() <= most) return line;
  line.resize(utf8_boundary(line, most));
  line.resize(natural_end(line, most));
  return line + (line.ends_with('.') || line.ends_with(';') ? " …" : "…");
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    out += unreserved ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string demangled(std::string_view symbol) {
  if (!symbol.starts_with("_Z")) return std::string(symbol);  // "g" alone would be read as a type: __float128
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && name ? std::string(name.get()) : std::string(symbol);
}

}  // namespace kevolve
