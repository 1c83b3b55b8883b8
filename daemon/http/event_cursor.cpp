#include "daemon/http/event_cursor.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "daemon/http/sse.hpp"

namespace kevolve::http {
namespace {

constexpr std::size_t kEventsAtOnce = 32;  // others wait for their turn meanwhile
constexpr std::size_t kBytesAtOnce = 64 * 1024;

}  // namespace

EventCursor::EventCursor(const service::EventLog& log, std::string_view after, std::string job)
    : log_(log), job_(std::move(job)) {
  const std::uint64_t last = log.last();
  std::string gap;
  if (after.empty()) {
    position_ = last;
  } else if (after != "0") {
    const std::optional<std::uint64_t> known = log.number(after);
    gap_told_ = !known || *known > last;
    if (gap_told_)
      gap = gap_frame("other_life", after);
    else
      position_ = *known;
  }
  text_ = fmt::format(": kevolved\nretry: 2000\nid: {}\n\n{}", log.id(position_), gap);
}

std::string EventCursor::next() {
  const service::EventLog::Slice slice = log_.after(position_, kEventsAtOnce);
  if (slice.gap && !gap_told_) text_ += gap_frame("lost", log_.id(position_));
  gap_told_ = false;
  for (const service::EventLog::EventPointer& event : slice.events) {
    position_ = event->number;
    if (job_.empty() || event->job.empty() || event->job == job_) text_ += event_frame(log_, *event);
    if (text_.size() > kBytesAtOnce) break;
  }
  return std::exchange(text_, {});
}

std::string EventCursor::heartbeat() const {
  return heartbeat_frame(log_.id(position_));
}

}  // namespace kevolve::http
