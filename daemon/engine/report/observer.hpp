#pragma once
// Observer: who is told what a run does, as it happens. The engine calls it from its own thread.

#include <string>
#include <string_view>
#include <vector>

#include "archive/records.hpp"
#include "core/model/evaluation.hpp"
#include "core/model/job.hpp"
#include "core/model/subjects.hpp"
#include "core/search/budget.hpp"

namespace kevolve {

/// What a finished run says of one operator.
struct OperatorSummary {
  std::string name, workload;
  std::string label;                        ///< names it in progress and logs: "gelu", or "gelu/benchmark"
  std::string yardstick{subjects::kNaive};  ///< what `speedup` is against: "naive", or "eager" on a GPU
  /// On the scale of the best kernel (core/model/common_scale.hpp); 0 when not measured.
  double naive_us = 0, eager_us = 0, compile_us = 0, best_us = 0;
  double floor_us = 0;                  ///< physical limit; 0: unknown
  double speedup = 1, speedup_low = 1;  ///< over naive: median ratio and its lower bound
  std::string idea_key, idea;           ///< of the best kernel
  Bindings tunables;
  std::string candidate_hash;
  int round = 0;  ///< in which it appeared; 0: the naive seed
  int rounds = 0, evaluations = 0, passed = 0;
  std::string note;  ///< why it stopped; when nothing was won, why not
};

struct RunSummary {
  std::string job;
  DeviceInfo device;
  std::vector<OperatorSummary> operators;
  int evaluations = 0;
  double wall_seconds = 0;
  std::string ended_by;                    ///< "all rounds done", "budget: …", "interrupted"
  Usage used = {};                         ///< of the present budget, earlier interrupted runs included
  int exchanges = 0;                       ///< with models, answered in this run
  std::vector<std::string> troubles = {};  ///< what was warned of, each once
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void run_started(const Job& /*job*/, const DeviceInfo& /*device*/) {}
  virtual void seeded(const OperatorSummary& /*naive*/) {}
  virtual void round_started(std::string_view /*op*/, int /*round*/,
                             const std::vector<std::string>& /*ideas*/) {}
  virtual void evaluated(std::string_view /*op*/, int /*round*/, std::string_view /*candidate*/,
                         std::string_view /*idea_key*/, const Evaluation& /*evaluation*/) {}
  /// A question to a model, answered or not.
  virtual void exchanged(std::string_view /*op*/, int /*round*/, const NewExchange& /*exchange*/) {}
  virtual void promoted(const OperatorSummary& /*champion*/) {}
  virtual void operator_stopped(const OperatorSummary& /*summary*/) {}
  virtual void warned(std::string_view /*what*/) {}
  /// A warning that somebody may want to be woken for: nothing goes on until it is over.
  virtual void troubled(std::string_view what) { warned(what); }
  /// What a reader of a log may want to know, and nobody has to act on.
  virtual void noted(std::string_view /*what*/) {}
  virtual void run_ended(const RunSummary& /*summary*/) {}
};

}  // namespace kevolve
