#include "core/search/apportion.hpp"

#include <algorithm>
#include <cstdint>

namespace kevolve::search {

std::vector<int> apportion(int count, const std::vector<double>& weights, int round) {
  std::vector<int> shares(weights.size(), 0);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  if (sum <= 0) return shares;
  // Ideas are dealt one at a time to whoever is furthest behind its weight, earlier rounds counted in.
  std::vector<double> dealt(weights.size(), 0);
  const std::int64_t before = static_cast<std::int64_t>(round - 1) * count;
  for (std::int64_t i = 0; i < before + count; ++i) {
    const auto behind = [&](std::size_t k) {
      return weights[k] / sum * static_cast<double>(i + 1) - dealt[k];
    };
    std::size_t next = 0;
    for (std::size_t k = 1; k < weights.size(); ++k) {
      if (behind(k) > behind(next) + 1e-9) next = k;
    }
    dealt[next] += 1;
    if (i >= before) ++shares[next];
  }
  return shares;
}

}  // namespace kevolve::search
