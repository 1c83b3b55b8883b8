#include "llm_client/http/model_choice.hpp"

#include <cmath>

namespace kevolve::llm {
namespace {

// A fraction above 0 for each (seed, index): the finaliser of splitmix64.
double fraction(std::uint64_t seed, std::size_t index) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (index + 1);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return (static_cast<double>((z ^ (z >> 31U)) >> 11U) + 0.5) * 0x1p-53;
}

}  // namespace

// The least of exponential variates whose rates are the weights belongs to each with its share of the weight,
// and leaving one out moves only its own questions ("rendezvous hashing", weighted).
std::optional<std::size_t> choose_model(std::uint64_t seed, const std::vector<double>& weights,
                                        const std::vector<bool>& usable) {
  std::optional<std::size_t> best;
  double least = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!usable[i] || !(weights[i] > 0)) continue;
    const double draw = -std::log(fraction(seed, i)) / weights[i];
    if (best && draw >= least) continue;
    best = i;
    least = draw;
  }
  return best;
}

}  // namespace kevolve::llm
