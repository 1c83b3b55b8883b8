#pragma once
// Reproducible choices: the same seed gives the same sequence with every standard library, which the
// distributions of <random> do not promise.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace kevolve::search {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// Uniform in [0, count); count > 0. The bias of the modulo is below count / 2^64.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

/// A seed for one purpose, derived from a job's one recorded seed (FNV-1a over the label, then SplitMix64).
std::uint64_t derive_seed(std::uint64_t seed, std::string_view label);

}  // namespace kevolve::search
