#include "core/worker/timed_baselines.hpp"

#include <algorithm>

namespace kevolve {
namespace {

/// Why a baseline cannot be timed; "" when it can.
std::string fault_of(Judge& judge, const std::string& name,
                     const std::vector<std::shared_ptr<const Draw>>& draws) {
  for (const auto& draw : draws) {
    const auto missing = judge.missing(name, draw->axes);
    if (!missing) return missing.error().message;
    if (*missing) return **missing;
    if (const auto verified = judge.verify(name, *draw); !verified) return verified.error().message;
  }
  return {};
}

}  // namespace

Result<ChosenBaselines> choose_baselines(Judge& judge, const std::vector<std::string>& names,
                                         const std::string& yardstick,
                                         const std::vector<std::shared_ptr<const Draw>>& draws) {
  ChosenBaselines chosen;
  for (const std::string& name : names) {
    const auto again = [&](const TimedBaseline& other) { return other.name == name; };
    if (std::any_of(chosen.timed.begin(), chosen.timed.end(), again)) continue;
    const std::string fault = fault_of(judge, name, draws);
    if (fault.empty()) {
      chosen.timed.push_back({name});
    } else if (name == yardstick) {
      return failure("the yardstick: " + fault);
    } else {
      chosen.left_out[name] = fault;
    }
  }
  return chosen;
}

}  // namespace kevolve
