#include "core/search/scale.hpp"

#include "core/search/pseudo_figure.hpp"

namespace kevolve::search {
namespace {

/// The yardstick's time in a deterministic job. Any constant will do.
constexpr double kDrawnYardstickUs = 1000;

}  // namespace

Scale Scale::measured(double yardstick_us) {
  Scale scale;
  scale.yardstick_us_ = yardstick_us;
  return scale;
}

Scale Scale::drawn(std::uint64_t job_seed, std::string naive_hash) {
  Scale scale;
  scale.drawn_ = Drawn{job_seed, std::move(naive_hash)};
  scale.yardstick_us_ = kDrawnYardstickUs;
  return scale;
}

double Scale::score(const std::string& candidate_hash, double speedup) const {
  if (is_measured() || speedup <= 0) return speedup;
  if (candidate_hash == drawn_->naive_hash) return 1;
  return pseudo_figure(drawn_->job_seed, candidate_hash);
}

}  // namespace kevolve::search
