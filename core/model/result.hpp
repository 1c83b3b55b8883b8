#pragma once
// Result<T>: the value, or an Error meant for its reader.
//
// A candidate's failure is data (Verdict), never an Error. An Error is an operational or a user's
// mistake; it gains context on its way up, outermost first: "job.json: budget.rounds: -3 is …".
// Values; no thread affinity. No exception crosses a module's boundary.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace kevolve {

struct Error {
  /// What was wrong, where, what was expected, what to do: one or more complete lines.
  std::string message;

  /// The same error with "`context`: " before it.
  [[nodiscard]] Error in(std::string_view context) const { return {std::string(context) + ": " + message}; }
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}
inline tl::unexpected<Error> failure(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace kevolve
