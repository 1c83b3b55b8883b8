#pragma once
// Target: the path and query of a request, taken apart and decoded. Everything that could mean another path
// to somebody else (empty or dot segments, encoded slashes, control characters) is refused. Pure.

#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "daemon/http/answer.hpp"

namespace kevolve::http {

struct Target {
  std::vector<std::string> segments;  ///< of the path, decoded; none for "/"
  std::map<std::string, std::string, std::less<>> query;
};

tl::expected<Target, Refusal> parse_target(std::string_view target);

}  // namespace kevolve::http
