#include "daemon/http/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace kevolve::http {
namespace {

constexpr std::array<std::string_view, 6> kOfBest = {"operator",  "workload", "device",
                                                     "precision", "against",  "top"};
constexpr std::array<std::string_view, 3> kOfEvents = {"after", "job", "follow"};

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/healthz", Endpoint::health},
    {"GET", "/metrics", Endpoint::metrics},
    {"GET", "/v1/health", Endpoint::health},
    {"GET", "/v1/status", Endpoint::status},
    {"GET", "/v1/jobs", Endpoint::jobs},
    {"POST", "/v1/jobs", Endpoint::submit, true, BodyRule::required},
    {"GET", "/v1/jobs/{name}", Endpoint::job},
    {"POST", "/v1/jobs/{name}/pause", Endpoint::pause, true, BodyRule::optional},
    {"POST", "/v1/jobs/{name}/resume", Endpoint::resume, true, BodyRule::optional},
    {"POST", "/v1/jobs/{name}/cancel", Endpoint::cancel, true, BodyRule::optional},
    {"PUT", "/v1/jobs/{name}/priority", Endpoint::prioritise, true, BodyRule::required},
    {"GET", "/v1/jobs/{name}/report", Endpoint::report},
    {"GET", "/v1/jobs/{name}/costs", Endpoint::costs},
    {"GET", "/v1/workers", Endpoint::workers},
    {"POST", "/v1/drain", Endpoint::drain, true, BodyRule::optional},
    {"POST", "/v1/reload", Endpoint::reload, true, BodyRule::optional},
    {"GET", "/v1/best", Endpoint::best, false, BodyRule::none, kOfBest},
    {"GET", "/v1/candidates/{id}", Endpoint::candidate},
    {"GET", "/v1/candidates/{id}/source", Endpoint::source},
    {"GET", "/v1/candidates/{id}/lineage", Endpoint::lineage},
    {"GET", "/v1/events", Endpoint::events, false, BodyRule::none, kOfEvents},
    {"GET", "/v1/openapi.json", Endpoint::openapi},
});

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 1; at <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    parts.push_back(pattern.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// What stands for {…} ("" without one); nothing when the path is another one.
std::optional<std::string> match(std::string_view pattern, const std::vector<std::string>& segments) {
  const std::vector<std::string_view> parts = split(pattern);
  if (parts.size() != segments.size()) return std::nullopt;
  std::string id;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].starts_with('{'))
      id = segments[i];
    else if (parts[i] != segments[i])
      return std::nullopt;
  }
  return id;
}

tl::expected<Match, Refusal> with_known_parameters(Match match) {
  for (const auto& [name, value] : match.query) {
    const auto& known = match.route->parameters;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return tl::unexpected<Refusal>(
        Refusal{400, "bad_parameter",
                known.empty() ? fmt::format("'{}': {} takes no parameters", name, match.route->path)
                              : fmt::format("'{}': {} takes {}", name, match.route->path,
                                            fmt::join(known.begin(), known.end(), ", "))});
  }
  return match;
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

tl::expected<Match, Refusal> route(std::string_view method, const Target& target) {
  std::string allow;
  for (const Route& candidate : kRoutes) {
    const std::optional<std::string> id = match(candidate.path, target.segments);
    if (!id) continue;
    if (candidate.method == method || (candidate.method == "GET" && method == "HEAD"))
      return with_known_parameters({&candidate, *id, target.query, {}});
    allow += fmt::format("{}{}", candidate.method, candidate.method == "GET" ? ", HEAD, " : ", ");
  }
  if (allow.empty()) {
    return tl::unexpected<Refusal>(
        Refusal{404, "not_found", "there is nothing at this path; GET /v1/openapi.json lists what there is"});
  }
  allow += "OPTIONS";
  if (method == "OPTIONS") return Match{nullptr, {}, {}, allow};
  return tl::unexpected<Refusal>(
      Refusal{405, "method_not_allowed", fmt::format("this path answers {}", allow), allow});
}

}  // namespace kevolve::http
