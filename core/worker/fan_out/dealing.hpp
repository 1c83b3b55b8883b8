#pragma once
// Dealing: which child gets which request, what is sent again when a child ends, and when that has been tried
// often enough. Pure: it starts nothing and reads no clock. Children are numbers from 0.
//
// Every request goes to the child with the fewest unanswered ones, first come, first served; a child has at
// most kMostUnanswered, so that what is far behind waits here for whoever is free first. Of what a child had
// when it ended, the oldest is the suspect: it goes to the end of the line, and to another child where there
// is one. The others keep their turn. A suspect is given up at the second death with replies of others in
// between, or at the third.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"
#include "core/process/supervision.hpp"

namespace kevolve {

/// Enough to keep the threads that compile ahead busy; what an engine keeps at one worker for a GPU.
inline constexpr std::size_t kMostUnanswered = 32;

class Dealing {
 public:
  explicit Dealing(std::size_t children) : children_(children) {}

  /// A request in the order of arrival. `patience`: how long a child may take for it.
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
  /// The child has ended. A reply for what is given up.
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
    Suspicion suspicion = {};
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

}  // namespace kevolve
