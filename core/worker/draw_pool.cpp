#include "core/worker/draw_pool.hpp"

#include <algorithm>

namespace kevolve::worker {

const Distribution& timed_distribution(const Operator& op) {
  const auto timed =
      std::find_if(op.distributions.begin(), op.distributions.end(), [](const auto& d) { return d.timed; });
  return timed == op.distributions.end() ? op.distributions.front() : *timed;
}

gates::Seed DrawPool::begin(const std::string& family, bool fresh) {
  const auto found =
      std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.name == family; });
  if (found != families_.end()) {
    families_.splice(families_.begin(), families_, found);
  } else {
    families_.push_front({family, gates::Seed::fresh(), 0, {}});
  }
  Family& current = families_.front();
  if (fresh || current.candidates >= candidates_per_draw_) {
    for (const Kept& kept : current.draws) bytes_ -= kept.draw->size_bytes;
    current = {family, gates::Seed::fresh(), 0, {}};
  }
  ++current.candidates;
  return current.seed;
}

Result<std::shared_ptr<const judge::Draw>> DrawPool::get(judge::Judge& judge, const Bindings& axes,
                                                         const Distribution& distribution,
                                                         std::uint64_t number) {
  Family& family = families_.front();
  for (const Kept& kept : family.draws) {
    if (kept.number == number && kept.distribution == distribution.name && kept.axes == axes)
      return kept.draw;
  }
  auto drawn = judge.draw(axes, distribution, family.seed, number);
  if (!drawn && bytes_ > 0) {  // perhaps for want of memory
    shrink_to(0);
    drawn = judge.draw(axes, distribution, family.seed, number);
  }
  if (!drawn) return failure(drawn.error());
  auto draw = std::make_shared<const judge::Draw>(std::move(*drawn));
  const std::size_t most = most_kept(draw->size_bytes);
  if (candidates_per_draw_ > 1 && draw->size_bytes <= most) {
    shrink_to(most - draw->size_bytes);
    family.draws.push_back({axes, distribution.name, number, draw});
    bytes_ += draw->size_bytes;
  }
  return draw;
}

std::size_t DrawPool::most_kept(std::size_t draw_bytes) const {
  constexpr std::size_t kLeftFree = 8;
  const std::size_t left = kLeftFree * draw_bytes;
  return std::min(memory_bytes_ / 2, memory_bytes_ - std::min(memory_bytes_, left));
}

/// Whole families go, the least recently used first; of the current one the oldest draws.
void DrawPool::shrink_to(std::size_t bytes) {
  while (bytes_ > bytes && !families_.empty()) {
    Family& last = families_.back();
    if (last.draws.empty()) {
      if (families_.size() == 1) return;
      families_.pop_back();
      continue;
    }
    bytes_ -= last.draws.front().draw->size_bytes;
    last.draws.pop_front();
  }
}

}  // namespace kevolve::worker
