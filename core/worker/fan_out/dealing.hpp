#pragma once
// Dealing: which child gets which request, and which requests another child gets when one ends. Pure: it
// starts nothing and reads no clock. Children are numbers from 0.
//
// Every request goes to the child with the fewest unanswered ones, first come, first served. A child has at
// most kMostUnanswered, so the rest waits here for the child that is free first. When a child ends, its
// oldest request is the suspect (core/process/supervision.hpp): it goes to the end of the line, and to
// another child where there is one. The others keep their turn. A suspect gets an error at its third death at
// the latest.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"
#include "core/process/supervision.hpp"

namespace kevolve::fan_out {

/// Enough to keep the threads that compile ahead busy; what an engine keeps at one worker for a GPU.
inline constexpr std::size_t kMostUnanswered = 32;

class Dealing {
 public:
  explicit Dealing(std::size_t children) : children_(children) {}

  /// Takes a request, in the order of arrival. `patience`: how long a child may take for it.
  void add(std::string id, std::string line, std::chrono::milliseconds patience);
  /// The child takes requests from now on.
  void begin(std::size_t child) { children_[child].there = true; }

  struct Turn {
    std::size_t child = 0;
    std::string line;
  };
  /// The next request to be sent; nothing when none waits or no child has room.
  std::optional<Turn> next();

  /// The child's oldest request of that id is answered; false: it has none.
  bool answered(std::size_t child, const std::string& id);
  /// The child has ended. Returns the reply for a request that is given up.
  std::optional<ErrorReply> lost(std::size_t child, const std::string& why);

  [[nodiscard]] std::size_t unanswered(std::size_t child) const { return children_[child].given.size(); }
  /// For its oldest request; it must have one.
  [[nodiscard]] std::chrono::milliseconds patience(std::size_t child) const {
    return children_[child].given.front().patience;
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] bool idle() const;  ///< all is answered

 private:
  struct Request {
    std::string id, line;
    std::chrono::milliseconds patience;
    process::Suspicion suspicion = {};
    std::size_t died_with = 0;  ///< the last child
  };
  struct Child {
    bool there = false;
    std::deque<Request> given;
  };
  [[nodiscard]] std::optional<std::size_t> taker(const Request& request) const;

  std::vector<Child> children_;
  std::deque<Request> waiting_;
  std::uint64_t answered_ = 0;
};

}  // namespace kevolve::fan_out
