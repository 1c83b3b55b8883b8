#pragma once
// Chooses the PyTorch baselines that are timed beside a candidate. A missing or wrong baseline is left out,
// so that a search does not end because of it; only the yardstick must be there.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/judge/judge.hpp"

namespace kevolve::worker {

struct TimedBaseline {
  std::string name;
  std::set<std::string> backends{};  ///< of scaled_dot_product_attention, on any of the draws
  std::vector<double> samples_us{};
};

struct ChosenBaselines {
  std::vector<TimedBaseline> timed;             ///< in the order they were asked for
  std::map<std::string, std::string> left_out;  ///< and why
};

/// Those of `names` that run and give the right answer on every draw. Fails when the yardstick is among
/// `names` and does not.
Result<ChosenBaselines> choose_baselines(judge::Judge& judge, const std::vector<std::string>& names,
                                         const std::string& yardstick,
                                         const std::vector<std::shared_ptr<const judge::Draw>>& draws);

}  // namespace kevolve::worker
