#pragma once
// DrawPool: the draws that candidates are judged on. Where draws are cheap, every candidate gets its own.
// Where they are expensive (a GPU's benchmark workloads: gigabytes, and an fp64 oracle), a family of draws of
// one secret seed serves several candidates and is then thrown away. A candidate cannot exploit that, since
// it has no channel to its successors. Champions are timed again on fresh draws.
//
// Owned by one thread. Draws are shared: each lives as long as one of its holders.

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "core/judge/judge.hpp"

namespace kevolve::worker {

/// The distribution that timing uses, and that correctness checks most thoroughly.
const Distribution& timed_distribution(const Operator& op);
/// Numbers from here on belong to timing; correctness does not use them.
inline constexpr std::uint64_t kFirstTimedDraw = 1000;

class DrawPool {
 public:
  /// `candidates_per_draw`: 1 keeps nothing. Kept draws take at most half of the device's memory and leave
  /// eight times the size of a draw for the next draw and for the runner. The least recently used families
  /// are dropped first.
  DrawPool(int candidates_per_draw, std::size_t memory_bytes)
      : candidates_per_draw_(candidates_per_draw), memory_bytes_(memory_bytes) {}

  /// Call before each evaluation. Returns the seed of its draws. `fresh`: draw all anew.
  gates::Seed begin(const std::string& family, bool fresh);

  /// Draw `number` of the family that begin() named last. Drops kept draws when memory is short.
  Result<std::shared_ptr<const judge::Draw>> get(judge::Judge& judge, const Bindings& axes,
                                                 const Distribution& distribution, std::uint64_t number);

 private:
  struct Kept {
    Bindings axes;
    std::string distribution;
    std::uint64_t number = 0;
    std::shared_ptr<const judge::Draw> draw;
  };
  struct Family {
    std::string name;
    gates::Seed seed;
    int candidates = 0;
    std::list<Kept> draws;
  };
  /// The bytes that kept draws of that size may take.
  [[nodiscard]] std::size_t most_kept(std::size_t draw_bytes) const;
  /// Drops draws until the kept ones take no more than `bytes`.
  void shrink_to(std::size_t bytes);

  int candidates_per_draw_;
  std::size_t memory_bytes_, bytes_ = 0;
  std::list<Family> families_;  ///< the most recently used first
};

}  // namespace kevolve::worker
