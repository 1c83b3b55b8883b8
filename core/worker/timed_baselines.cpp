#include "core/worker/timed_baselines.hpp"

#include <algorithm>

namespace kevolve::worker {
namespace {

/// Why a baseline cannot be timed; "" when it can. Fills in its backends.
std::string fault_of(judge::Judge& judge, TimedBaseline& baseline,
                     const std::vector<std::shared_ptr<const judge::Draw>>& draws) {
  const std::string& name = baseline.name;
  for (const auto& draw : draws) {
    const auto missing = judge.missing(name, draw->axes);
    if (!missing) return missing.error().message;
    if (*missing) return **missing;
    if (const auto verified = judge.verify(name, *draw); !verified) return verified.error().message;
    const auto backends = judge.attention_backends(name, *draw);
    if (!backends) return backends.error().message;
    baseline.backends.insert(backends->begin(), backends->end());
  }
  return {};
}

}  // namespace

Result<ChosenBaselines> choose_baselines(judge::Judge& judge, const std::vector<std::string>& names,
                                         const std::string& yardstick,
                                         const std::vector<std::shared_ptr<const judge::Draw>>& draws) {
  ChosenBaselines chosen;
  for (const std::string& name : names) {
    const auto again = [&](const TimedBaseline& other) { return other.name == name; };
    if (std::any_of(chosen.timed.begin(), chosen.timed.end(), again)) continue;
    TimedBaseline baseline{name};
    const std::string fault = fault_of(judge, baseline, draws);
    if (fault.empty()) {
      chosen.timed.push_back(std::move(baseline));
    } else if (name == yardstick) {
      return failure("the yardstick: " + fault);
    } else {
      chosen.left_out[name] = fault;
    }
  }
  return chosen;
}

}  // namespace kevolve::worker
