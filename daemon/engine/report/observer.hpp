#pragma once
// Observer: hears what a run does, as it happens, in the engine's thread. A subclass overrides heard(); the
// engine calls the function that names the event.

#include "daemon/engine/report/event.hpp"

namespace kevolve::engine {

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void heard(const RunEvent& /*event*/) {}

  void run_started(const Job& job, const DeviceInfo& device) { heard(events::RunStarted{job, device}); }
  void seeded(const OperatorSummary& naive) { heard(events::Seeded{naive}); }
  void round_started(std::string_view op, int round, const std::vector<std::string>& ideas) {
    heard(events::RoundStarted{op, round, ideas});
  }
  void evaluated(std::string_view op, int round, std::string_view candidate, std::string_view idea_key,
                 const Evaluation& evaluation) {
    heard(events::Evaluated{op, round, candidate, idea_key, evaluation});
  }
  void exchanged(std::string_view op, int round, const archive::NewExchange& exchange) {
    heard(events::Exchanged{op, round, exchange});
  }
  void promoted(const OperatorSummary& champion) { heard(events::Promoted{champion}); }
  void operator_stopped(const OperatorSummary& summary) { heard(events::OperatorStopped{summary}); }
  void warned(std::string_view what) { heard(events::Warned{what}); }
  void troubled(std::string_view what) { heard(events::Troubled{what}); }
  void noted(std::string_view what) { heard(events::Noted{what}); }
  void run_ended(const RunSummary& summary) { heard(events::RunEnded{summary}); }
};

}  // namespace kevolve::engine
