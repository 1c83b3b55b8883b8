#pragma once
// Admission: whether a request may go on once its header is read, before a byte of its body is. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/http/access.hpp"
#include "daemon/http/router.hpp"

namespace kevolve::http {

/// Of a request, what decides. Views into the parsed header.
struct RequestHead {
  std::string_view method, target;
  std::string_view host, authorization, content_type;  ///< "" when absent
  int hosts = 1;                                       ///< how many headers Host it has
  bool old_protocol = false;                           ///< HTTP/1.0, which needs no Host
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
};

tl::expected<Match, Refusal> admit(const AccessRules& rules, const RequestHead& head,
                                   std::size_t longest_target);

}  // namespace kevolve::http
