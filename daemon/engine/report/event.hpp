#pragma once
// RunEvent: one thing that happened in a run. Its references and views hold while an Observer hears it, no
// longer.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/records.hpp"
#include "core/model/evaluation.hpp"
#include "core/model/job.hpp"
#include "daemon/engine/report/run_summary.hpp"

namespace kevolve::engine {
namespace events {

struct RunStarted {
  const Job& job;
  const DeviceInfo& device;
};
struct Seeded {
  const OperatorSummary& naive;
};
struct RoundStarted {
  std::string_view op;  ///< its label, here and below
  int round;
  const std::vector<std::string>& ideas;
};
struct Evaluated {
  std::string_view op;
  int round;
  std::string_view candidate, idea_key;
  const Evaluation& evaluation;
};
/// A model was asked; it answered, or did not.
struct Exchanged {
  std::string_view op;
  int round;
  const archive::NewExchange& exchange;
};
struct Promoted {
  const OperatorSummary& champion;
};
struct OperatorStopped {
  const OperatorSummary& summary;
};
struct Warned {
  std::string_view what;
};
/// A warning that somebody may want to be woken for: the run stands still until it is over.
struct Troubled {
  std::string_view what;
};
/// Nobody has to act on it, but a reader of the log may want to know.
struct Noted {
  std::string_view what;
};
struct RunEnded {
  const RunSummary& summary;
};

}  // namespace events

using RunEvent = std::variant<events::RunStarted, events::Seeded, events::RoundStarted, events::Evaluated,
                              events::Exchanged, events::Promoted, events::OperatorStopped, events::Warned,
                              events::Troubled, events::Noted, events::RunEnded>;

}  // namespace kevolve::engine
