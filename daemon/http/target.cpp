#include "daemon/http/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace kevolve::http {
namespace {

constexpr std::size_t kMostParameters = 32;

tl::unexpected<Refusal> refuse(std::string message) {
  return tl::unexpected<Refusal>(Refusal{400, "bad_path", std::move(message)});
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_utf8(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore) ==
         Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Nothing when an escape is broken, or when the result is not text.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  if (std::any_of(out.begin(), out.end(), is_control) || !is_utf8(out)) return std::nullopt;
  return out;
}

tl::expected<std::vector<std::string>, Refusal> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  if (path == "/") return segments;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::optional<std::string> segment = decoded(path.substr(at, end - at), false);
    if (!segment) return refuse("the path holds an escape (%..) that is broken or not text");
    if (segment->empty() || *segment == "." || *segment == "..")
      return refuse("the path holds an empty segment, '.' or '..'; expected a plain path such as /v1/jobs");
    if (segment->find_first_of("/\\") != std::string::npos)
      return refuse("a segment of the path holds a slash");
    segments.push_back(*segment);
    at = end + 1;
  }
  return segments;
}

tl::expected<decltype(Target::query), Refusal> parameters_of(std::string_view query) {
  decltype(Target::query) parameters;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals), true);
    const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return refuse("the query holds an escape (%..) that is broken or not text");
    if (!parameters.emplace(*name, *value).second)
      return refuse(fmt::format("the parameter '{}' is given twice", *name));
    if (parameters.size() > kMostParameters) return refuse("the query has too many parameters");
  }
  return parameters;
}

}  // namespace

tl::expected<Target, Refusal> parse_target(std::string_view target) {
  if (!target.starts_with('/'))
    return refuse("expected a path that begins with a slash, such as /v1/jobs; this server is not a proxy");
  for (const char c : target) {
    if (is_control(c) || c == ' ' || c == '#' || static_cast<unsigned char>(c) >= 0x80)
      return refuse("the path holds a character that must be escaped (%..)");
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  auto segments = segments_of(target.substr(0, question));
  if (!segments) return tl::unexpected<Refusal>(segments.error());
  auto query = parameters_of(target.substr(std::min(question + 1, target.size())));
  if (!query) return tl::unexpected<Refusal>(query.error());
  return Target{std::move(*segments), std::move(*query)};
}

}  // namespace kevolve::http
