#pragma once
// Server-sent events: how events of an EventLog are framed, and how frames are read back. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "daemon/service/event_log.hpp"

namespace kevolve::http {

/// "id: …\nevent: TYPE\ndata: {"at":…,"type":…,"job":…,"data":{…}}\n\n"
std::string event_frame(const service::EventLog& log, const service::Event& event);

/// Tells that events are missing before the next one. `reason`: "lost" (too far behind) or "other_life".
std::string gap_frame(std::string_view reason, std::string_view after);

/// A comment that keeps the connection alive, and the place to come back to. It is not an event.
std::string heartbeat_frame(std::string_view id);

struct SseEvent {
  std::string id, type, data;
};

/// Takes text as it comes and calls back for each event that is complete. One thread.
class SseReader {
 public:
  using Callback = std::function<bool(const SseEvent&)>;
  /// False when the callback said false (enough), or the text is not an event stream (a line beyond 8 MiB).
  bool feed(std::string_view text, const Callback& callback);
  [[nodiscard]] const std::string& last_id() const { return last_id_; }

 private:
  bool line(std::string_view text, const Callback& callback);
  std::string partial_, last_id_, type_, data_;
};

}  // namespace kevolve::http
