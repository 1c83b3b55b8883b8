#pragma once
// The routes of the API: which endpoint a method and a path name. Pure.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/http/answer.hpp"
#include "daemon/http/target.hpp"

namespace kevolve::http {

enum class Endpoint {
  health,
  status,
  jobs,
  submit,
  job,
  pause,
  resume,
  cancel,
  prioritise,
  report,
  costs,
  workers,
  drain,
  reload,
  best,
  candidate,
  source,
  lineage,
  events,
  openapi,
  metrics,
};

enum class BodyRule { none, optional, required };

struct Route {
  std::string_view method;  ///< GET answers HEAD too
  std::string_view path;    ///< "/v1/jobs/{name}"; {…} stands for one segment
  Endpoint endpoint;
  bool changes = false;  ///< something: needs a token everywhere
  BodyRule body = BodyRule::none;
  std::span<const std::string_view> parameters = {};  ///< of the query; others are refused
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  ///< nullptr: OPTIONS
  std::string id;                ///< what stands for {…}
  std::map<std::string, std::string, std::less<>> query;
  std::string allow;  ///< OPTIONS: the methods of the path
};

/// 404, 405 with the methods that are, or 400 for a parameter that nobody knows.
tl::expected<Match, Refusal> route(std::string_view method, const Target& target);

}  // namespace kevolve::http
