#include "daemon/http/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace kevolve::http {
namespace {

/// "application/json" with any parameters, of which only a charset of UTF-8 makes sense.
bool is_json(std::string_view type) {
  const std::string_view media = type.substr(0, std::min(type.find_first_of("; \t"), type.size()));
  std::string low(media);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return low == "application/json";
}

std::optional<Refusal> refuse_body(const Route& route, const RequestHead& head) {
  const bool some = head.chunked || head.content_length.value_or(0) > 0;
  if (some && route.body == BodyRule::none)
    return Refusal{400, "unexpected_body", fmt::format("{} {} takes no body", route.method, route.path)};
  if (!some && route.body == BodyRule::required) {
    if (!head.content_length)
      return Refusal{411, "length_required", "a JSON body is required, with its Content-Length"};
    return Refusal{400, "body_missing", "a JSON body is required; this one is empty"};
  }
  if (some && !is_json(head.content_type)) {
    return Refusal{415, "not_json",
                   fmt::format("Content-Type is '{}'; expected application/json", head.content_type)};
  }
  return std::nullopt;
}

}  // namespace

tl::expected<Match, Refusal> admit(const AccessRules& rules, const RequestHead& head,
                                   std::size_t longest_target) {
  const auto refuse = [](Refusal refusal) { return tl::unexpected<Refusal>(std::move(refusal)); };
  if (head.target.size() > longest_target) {
    return refuse({414, "path_too_long",
                   fmt::format("path and query have {} characters; at most {} are read", head.target.size(),
                               longest_target)});
  }
  if (head.hosts > 1) return refuse({400, "bad_host", "the header Host is given twice"});
  if (head.hosts == 1 || !head.old_protocol) {
    if (auto refusal = refuse_host(rules, head.host)) return refuse(std::move(*refusal));
  }
  // Where nothing is told without the token, not even which paths there are is told.
  if (!rules.loopback) {
    if (auto refusal = refuse_access(rules, true, head.authorization)) return refuse(std::move(*refusal));
  }
  const auto target = parse_target(head.target);
  if (!target) return refuse(target.error());
  auto match = route(head.method, *target);
  if (!match || match->route == nullptr) return match;
  if (auto refusal = refuse_access(rules, match->route->changes, head.authorization))
    return refuse(std::move(*refusal));
  if (auto refusal = refuse_body(*match->route, head)) return refuse(std::move(*refusal));
  return match;
}

}  // namespace kevolve::http
