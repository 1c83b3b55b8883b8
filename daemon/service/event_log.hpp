#pragma once
// EventLog: the last events of a running service, numbered without gaps, for those who follow along.
//
// It is a window, not a record: the archive has what lasts. A follower who comes back with the last id that
// it saw gets the events after it, or learns that too many happened in between. Thread-safe.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.hpp"

namespace kevolve::service {

struct Event {
  std::uint64_t number = 0;  ///< from 1, without gaps within one life of the service
  std::string at;            ///< UTC, ISO 8601, with milliseconds
  std::string type;          ///< "job_started", "evaluated", "promoted", … (docs/http_api.md)
  std::string job;           ///< its name; "" for events of the service itself
  Json data = Json::object();
};

class EventLog {
 public:
  using EventPointer = std::shared_ptr<const Event>;

  explicit EventLog(std::size_t capacity = 16384);

  void append(std::string_view type, std::string_view job, Json data);

  struct Slice {
    std::vector<EventPointer> events;
    bool gap = false;  ///< events between `number` and the first of these are no longer known
  };
  /// Events after `number`, oldest first, at most `limit`.
  [[nodiscard]] Slice after(std::uint64_t number, std::size_t limit) const;
  [[nodiscard]] std::uint64_t last() const;

  /// "LIFE-NUMBER": unique across restarts.
  [[nodiscard]] std::string id(std::uint64_t number) const;
  /// The number in an id of this life; nothing for ids of another life and for text that is not an id.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view id) const;

  /// The log calls `wake` after every append, in the appender's thread; it must not block and not call the
  /// log.
  int follow(std::function<void()> wake);
  void unfollow(int follower);

 private:
  const std::size_t capacity_;
  const std::string life_;
  mutable std::mutex mutex_;
  std::deque<EventPointer> events_;
  std::uint64_t last_ = 0;
  std::map<int, std::function<void()>> followers_;
  int next_follower_ = 1;
};

}  // namespace kevolve::service
