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
  /// `candidates_per_draw`: 1 keeps nothing. Of the device's memory at most half is taken by what is kept,
  /// and eight times the size of a draw is left to making the next and to the runner; the least recently used
  /// go first.
  DrawPool(int candidates_per_draw, std::size_t memory_bytes)
      : candidates_per_draw_(candidates_per_draw), memory_bytes_(memory_bytes) {}

  /// To be called before each evaluation: gives the seed of its draws. `fresh`: draw all anew.
  Seed begin(const std::string& family, bool fresh);

  /// Draw `number` of the family that begin() has named last. What is kept gives way when it cannot be made
  /// otherwise.
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
  /// How much may be kept of draws of that size.
  [[nodiscard]] std::size_t most_kept(std::size_t draw_bytes) const;
  /// Lets go of draws until those that are kept take no more than `bytes`.
  void shrink_to(std::size_t bytes);

  int candidates_per_draw_;
  std::size_t memory_bytes_, bytes_ = 0;
  std::list<Family> families_;  ///< the most recently used first
};

}  // namespace kevolve
