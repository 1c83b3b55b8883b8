#pragma once
// Standing: how the search for one operator at one workload stands. A plain value, rebuilt from the archive's
// rows when a run begins (daemon/engine/search/recall.hpp); what follows from it is pure.

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/ids.hpp"
#include "core/model/operator.hpp"
#include "core/model/verdict.hpp"
#include "core/search/scale.hpp"
#include "core/search/stopping.hpp"

namespace kevolve::search {

/// Why a search ends when a round brought no idea.
inline constexpr std::string_view kNothingLeft = "no idea source has anything left to try";

/// The best kernel so far. The naive kernel is the first.
struct Champion {
  CandidateId id;
  std::string hash, source, idea_key, idea;
  Bindings tunables;
  int round = 0;                                       ///< in which it won; 0: the naive kernel
  double median_us = 0, speedup = 1, speedup_low = 1;  ///< of the evaluation that promoted it
  std::chrono::sys_time<std::chrono::milliseconds> since{};
  double score = 1;  ///< on the standing's scale
};

/// What users compare with, and the physical limit; 0: unknown.
struct TimesToBeat {
  double eager_us = 0, compile_us = 0, floor_us = 0;
  double compile_speedup = 0;  ///< of torch.compile over the yardstick beside which it was timed
};

/// Verdicts of the present run.
struct VerdictCounts {
  int judged = 0, passed = 0;
  std::map<std::string, int> outcomes;  ///< by name

  void add(const Verdict& verdict);
};

struct Standing {
  Scale scale;
  Champion naive, champion;
  TimesToBeat times;
  int last_round = 0;           ///< its number
  int rounds_done = 0;          ///< of the job's present series, over all of its runs
  std::vector<double> best_us;  ///< before the present series and after each of its rounds
  VerdictCounts counts;
  std::string stop_reason;  ///< "": the search continues

  [[nodiscard]] bool naive_leads() const { return champion.id == naive.id; }
};

/// The champion's time, as plateaus are told by it.
double plateau_us(const Scale& scale, const Champion& champion);

/// One more round is over: `number` and the champion's time go into the history.
void add_round(Standing& standing, int number);

/// Why the search ends here, in English; "" when it continues.
std::string reason_to_stop(const Standing& standing, const PlateauRule& rule);

}  // namespace kevolve::search
