#pragma once
// Who may do what. On a loopback address everybody on this machine may look, and changing anything needs the
// token; on any other address everything needs it. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "core/text/result.hpp"
#include "daemon/http/answer.hpp"

namespace kevolve::http {

struct AccessRules {
  bool loopback = true;
  std::string token;  ///< "": none; then nothing can be changed
};

/// 127.0.0.0/8 or ::1, written as an address.
bool is_loopback(std::string_view address);

/// The rules of an address. An address that others can reach is refused without a token, and a token that is
/// short or cannot be sent in a header is refused everywhere.
Result<AccessRules> access_rules(std::string_view address, std::string_view token);

/// Takes as long for every wrong token of one length.
bool equal_in_constant_time(std::string_view given, std::string_view expected);

/// `authorization`: the header's value, or "".
std::optional<Refusal> refuse_access(const AccessRules& rules, bool changes, std::string_view authorization);

/// On a loopback address only names of it are answered: a page in a browser may have made its own name point
/// here.
std::optional<Refusal> refuse_host(const AccessRules& rules, std::string_view host);

}  // namespace kevolve::http
