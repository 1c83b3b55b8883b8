#pragma once
// EventCursor: where a follower of an EventLog is, and the text of what it has not seen. One thread; the log
// is for any.

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/service/event_log.hpp"

namespace kevolve::http {

class EventCursor {
 public:
  /// `after`: the id of the last event that was seen; "": begins with the next one; "0": with the oldest that
  /// is known. An id that is none of this life's is told as a gap, and all that is known follows. `job`:
  /// events of other jobs are left out; "" leaves out none.
  EventCursor(const service::EventLog& log, std::string_view after, std::string job);

  /// Frames of what is new: about 64 KiB and one event at most. May be empty while events are left out.
  std::string next();
  /// Nothing happened since.
  [[nodiscard]] bool caught_up() const { return position_ == log_.last() && text_.empty(); }
  [[nodiscard]] std::string heartbeat() const;

 private:
  const service::EventLog& log_;
  const std::string job_;
  std::uint64_t position_ = 0;  ///< of the last event that was seen or left out
  std::string text_;            ///< not given out yet
  bool gap_told_ = false;
};

}  // namespace kevolve::http
