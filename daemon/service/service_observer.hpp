#pragma once
// ServiceObserver: tells what a job of a service does, as events: to the EventLog, on stderr, and to those
// who want notifications. docs/daemon.md lists the events. Belongs to the service's thread.

#include <functional>
#include <optional>
#include <string>

#include "daemon/engine/report/observer.hpp"
#include "daemon/service/event_log.hpp"

namespace kevolve::service {

/// Where events go: one line each on stderr, and the log.
class EventSink {
 public:
  explicit EventSink(EventLog& log) : log_(log) {}
  void put(std::string_view type, std::string_view job, Json data);

 private:
  EventLog& log_;
};

/// "time=… event=evaluated job=night operator=gelu …": numbers and words as they are, other values as JSON.
/// Pure.
std::string event_line(std::string_view time, std::string_view type, std::string_view job, const Json& data);

/// A run's event as the event stream has it: a type of the table in docs/daemon.md, and its keys.
struct TypedEvent {
  std::string_view type;
  Json data;
};
/// Nothing for the end of a run: the service tells the end of the job. Pure.
std::optional<TypedEvent> typed(const engine::RunEvent& event);

class ServiceObserver final : public engine::Observer {
 public:
  /// `notify`: "champion" or "trouble", and what happened.
  using Notify = std::function<void(std::string_view kind, Json data)>;
  ServiceObserver(std::string job, EventSink& sink, Notify notify)
      : job_(std::move(job)), sink_(sink), notify_(std::move(notify)) {}

  void heard(const engine::RunEvent& event) override;

 private:
  const std::string job_;
  EventSink& sink_;
  Notify notify_;
};

}  // namespace kevolve::service
