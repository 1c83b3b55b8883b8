#pragma once
// What a run says of itself at its end, and of each operator at any time. Plain data.

#include <string>
#include <vector>

#include "core/model/evaluation.hpp"
#include "core/model/subjects.hpp"
#include "core/search/budget.hpp"

namespace kevolve::engine {

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
  search::Usage used = {};                 ///< of the present budget, earlier interrupted runs included
  int exchanges = 0;                       ///< with models, answered in this run
  std::vector<std::string> troubles = {};  ///< what was warned of, each once
};

}  // namespace kevolve::engine
