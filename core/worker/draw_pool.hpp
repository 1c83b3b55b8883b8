#pragma once
// DrawPool: the draws that candidates are judged on. Where a draw is cheap every candidate gets its own;
// where it is not (a GPU's benchmark workloads: gigabytes, and an fp64 oracle) a whole family of draws of one
// secret seed serves a number of candidates, and is then thrown away. A candidate cannot tell: it has no
// channel to its successors. Champions are timed again on fresh draws (`fresh()`).
//
// Owned by one thread. Draws live as long as somebody holds them.

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "core/judge/judge.hpp"

namespace kevolve {

/// The distribution that timing uses, and that is looked at most thoroughly.
const Distribution& timed_distribution(const Operator& op);
/// Numbers from it on are timing's: correctness has not used them.
inline constexpr std::uint64_t kFirstTimedDraw = 1000;

class DrawPool {
 public:
  /// `candidates_per_draw`: 1 keeps nothing. `most_bytes`: of all that is kept; the least recently used go
  /// first.
  DrawPool(int candidates_per_draw, std::size_t most_bytes)
      : candidates_per_draw_(candidates_per_draw), most_bytes_(most_bytes) {}

  /// To be called before each evaluation: gives the seed of its draws. `fresh`: draw all anew.
  Seed begin(const std::string& family, bool fresh);

  /// Draw `number` of the family that begin() has named last.
  Result<std::shared_ptr<const Draw>> get(Judge& judge, const Bindings& axes,
                                          const Distribution& distribution, std::uint64_t number);

 private:
  struct Kept {
    Bindings axes;
    std::string distribution;
    std::uint64_t number = 0;
    std::shared_ptr<const Draw> draw;
  };
  struct Family {
    std::string name;
    Seed seed;
    int candidates = 0;
    std::list<Kept> draws;
  };
  void make_room(std::size_t bytes);

  int candidates_per_draw_;
  std::size_t most_bytes_, bytes_ = 0;
  std::list<Family> families_;  ///< the most recently used first
};

}  // namespace kevolve
