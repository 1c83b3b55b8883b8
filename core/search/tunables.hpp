#pragma once
// Mechanical search over a candidate's tunables: which choices are valid for a workload, which lie next to a
// good one, which cross two good ones. No model is asked about numbers. Pure.

#include <vector>

#include "core/model/launch_plan.hpp"
#include "core/search/random.hpp"

namespace kevolve::search {

/// A space of tunable choices, restricted to those whose launch plan resolves on this workload and device.
class TunableSpace {
 public:
  TunableSpace(const CandidateHeader& header, const Operator& op, const Bindings& axes,
               const DeviceLimits& limits);

  [[nodiscard]] bool valid(const Bindings& choice) const;

  /// Up to `count` distinct valid choices: the default first, then random ones, none of which `skip(choice)`
  /// names.
  template <class Skip>
  std::vector<Bindings> sample(std::size_t count, Random& random, Skip skip) const {
    std::vector<Bindings> chosen;
    for (const Bindings& choice : candidates(random, count)) {
      if (chosen.size() == count) break;
      if (!skip(choice)) chosen.push_back(choice);
    }
    return chosen;
  }

  /// Valid choices one step away from `choice`: one tunable moved to the next smaller or larger allowed
  /// value.
  [[nodiscard]] std::vector<Bindings> neighbours(const Bindings& choice) const;

  /// Valid choices that take each tunable from one of two parents, other than the parents themselves.
  [[nodiscard]] std::vector<Bindings> crossovers(const Bindings& a, const Bindings& b, Random& random) const;

 private:
  [[nodiscard]] std::vector<Bindings> candidates(Random& random, std::size_t count) const;

  const CandidateHeader& header_;
  const Operator& op_;
  const Bindings& axes_;
  const DeviceLimits& limits_;
};

}  // namespace kevolve::search
