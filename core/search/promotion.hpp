#pragma once
// Promotion: which of a round's candidates are timed again, and whether one becomes champion. No single
// timing is trusted: a contender is timed in fresh processes, each time beside its rival. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "core/gates/statistics.hpp"
#include "core/model/evaluation.hpp"
#include "core/search/standing.hpp"

namespace kevolve::search {

/// A contender is timed again this many times, each time in fresh runners with a new seed.
inline constexpr std::size_t kRetimings = 3;

/// A judged candidate, as far as a promotion depends on it.
struct Entrant {
  CandidateId id;
  std::string hash;
  double score = 0;
  bool passed = false;
};

/// Which of `judged` passed and beat the champion in their own evaluation: positions, best score first.
/// Identical candidates count once. Equal scores are ordered by hash: the order of replies must not matter.
std::vector<std::size_t> contenders(const std::vector<Entrant>& judged, const Champion& champion);

/// The kernel or baseline that a contender is timed against.
struct Rival {
  std::string subject;    ///< its name in measurements
  double head_start = 1;  ///< a contender must be faster than the rival by this factor to equal the champion
};

/// The champion itself, or, as long as the naive kernel leads, the yardstick. On a GPU the naive kernel is
/// too slow to be timed again: PyTorch stands in for it, with the known ratio of the two as head start.
Rival rival_of(const Standing& standing, const std::string& yardstick);

/// What the retimings so far amount to.
struct Decision {
  enum class Kind {
    undecided,   ///< all held so far; more retimings are needed
    promoted,    ///< faster: all pairs together, and in the median of each retiming
    not_faster,  ///< right, but no faster
    refuted,     ///< the last retiming did not pass
  };
  Kind kind = Kind::undecided;
  std::vector<gates::Ratio> of_each;  ///< faster than the champion: of each retiming
  gates::Ratio pooled;                ///< of all their pairs together; once there are kRetimings
  std::size_t middle = 0;             ///< the retiming with the median speed-up: it becomes the champion's
};

/// `seed`: of the bootstrap. On a scale that is not measured a contender wins when it holds each time.
Decision decide(const std::vector<Evaluation>& retimings, const Rival& rival, const Scale& scale,
                std::uint64_t seed);

}  // namespace kevolve::search
