#pragma once
// ServiceObserver: what a job of a service does, as events: into the EventLog, onto stderr, and to whoever is
// to be notified. docs/daemon.md lists the events. Belongs to the service's thread.

#include <functional>
#include <string>

#include "daemon/engine/report/observer.hpp"
#include "daemon/service/event_log.hpp"

namespace kevolve {

/// Where events go: one line each on stderr, and the log.
class EventSink {
 public:
  explicit EventSink(EventLog& log) : log_(log) {}
  void put(std::string_view type, std::string_view job, Json data);

 private:
  EventLog& log_;
};

/// "time=… event=evaluated job=night operator=gelu …": numbers and words as they are, all else as JSON. Pure.
std::string event_line(std::string_view time, std::string_view type, std::string_view job, const Json& data);

class ServiceObserver final : public Observer {
 public:
  /// `notify`: "champion" or "trouble", and what happened.
  using Notify = std::function<void(std::string_view kind, Json data)>;
  ServiceObserver(std::string job, EventSink& sink, Notify notify)
      : job_(std::move(job)), sink_(sink), notify_(std::move(notify)) {}

  void run_started(const Job& job, const DeviceInfo& device) override;
  void seeded(const OperatorSummary& naive) override;
  void round_started(std::string_view op, int round, const std::vector<std::string>& ideas) override;
  void evaluated(std::string_view op, int round, std::string_view candidate, std::string_view idea_key,
                 const Evaluation& evaluation) override;
  void exchanged(std::string_view op, int round, const NewExchange& exchange) override;
  void promoted(const OperatorSummary& champion) override;
  void operator_stopped(const OperatorSummary& summary) override;
  void warned(std::string_view what) override;
  void troubled(std::string_view what) override;
  void noted(std::string_view what) override;

 private:
  const std::string job_;
  EventSink& sink_;
  Notify notify_;
};

}  // namespace kevolve
