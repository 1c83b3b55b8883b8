#include "daemon/engine/report/run_json.hpp"

namespace kevolve::engine {

Json to_json(const OperatorSummary& s) {
  return {{"operator", s.name},
          {"workload", s.workload},
          {"yardstick", s.yardstick},
          {"naive_us", s.naive_us},
          {"eager_us", s.eager_us},
          {"compile_us", s.compile_us},
          {"best_us", s.best_us},
          {"floor_us", s.floor_us},
          {"speedup", s.speedup},
          {"speedup_low", s.speedup_low},
          {"round", s.round},
          {"idea_key", s.idea_key},
          {"idea", s.idea},
          {"tunables", Json(s.tunables)},
          {"candidate", s.candidate_hash},
          {"rounds", s.rounds},
          {"evaluations", s.evaluations},
          {"passed", s.passed},
          {"note", s.note}};
}

Json to_json(const search::Usage& usage) {
  return {{"evaluations", usage.evaluations},
          {"requests", usage.requests},
          {"tokens", usage.tokens},
          {"usd", usage.usd},
          {"wall_seconds", usage.wall_seconds}};
}

Json to_json(const RunSummary& summary) {
  Json operators = Json::array();
  for (const OperatorSummary& s : summary.operators) operators.push_back(to_json(s));
  return {{"job", summary.job},
          {"device", to_json(summary.device)},
          {"operators", operators},
          {"evaluations", summary.evaluations},
          {"exchanges", summary.exchanges},
          {"budget_used", to_json(summary.used)},
          {"wall_seconds", summary.wall_seconds},
          {"ended_by", summary.ended_by},
          {"troubles", summary.troubles}};
}

}  // namespace kevolve::engine
