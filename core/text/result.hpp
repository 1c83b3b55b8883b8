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
  [[nodiscard]] Error in(std::string_view context) const;
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

// TRY(auto row, archive.row(id)): declares `row` with the value, or returns the error from the enclosing
// function. TRY_DO(archive.finish(id)):     for a Result without a value, or with one that is not needed.
// CO_TRY and CO_TRY_DO are the same in coroutines, where an error is co_returned.
// Each is a statement that declares names: put it in a block of its own, never as the sole body of an `if`.
#define KEVOLVE_JOIN_(a, b) a##b
#define KEVOLVE_JOIN(a, b) KEVOLVE_JOIN_(a, b)
#define KEVOLVE_TRY_(leave, result, declaration, ...)               \
  auto&& result = (__VA_ARGS__);                                    \
  if (!result) leave ::kevolve::failure(std::move(result).error()); \
  declaration = *std::move(result)
#define KEVOLVE_TRY_DO_(leave, ...)                                                               \
  do {                                                                                            \
    if (auto&& done_ = (__VA_ARGS__); !done_) leave ::kevolve::failure(std::move(done_).error()); \
  } while (false)
#define TRY(declaration, ...) \
  KEVOLVE_TRY_(return, KEVOLVE_JOIN(tried_, __COUNTER__), declaration, __VA_ARGS__)
#define TRY_DO(...) KEVOLVE_TRY_DO_(return, __VA_ARGS__)
#define CO_TRY(declaration, ...) \
  KEVOLVE_TRY_(co_return, KEVOLVE_JOIN(tried_, __COUNTER__), declaration, __VA_ARGS__)
#define CO_TRY_DO(...) KEVOLVE_TRY_DO_(co_return, __VA_ARGS__)
