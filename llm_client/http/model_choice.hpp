#pragma once
// Which of several weighted models answers a question. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kevolve::llm {

struct WeightedModel {
  std::string model;  ///< a name of the models file
  double weight = 1;  ///< above 0
};

/// An index into `weights`, the same for the same seed and weights; those that are not `usable` are passed
/// over. A question whose model is usable keeps it whatever the others are. Nothing when none is usable.
std::optional<std::size_t> choose_model(std::uint64_t seed, const std::vector<double>& weights,
                                        const std::vector<bool>& usable);

}  // namespace kevolve::llm
