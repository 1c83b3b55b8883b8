#pragma once
// Seed: 128 secret bits, fresh for each evaluation, and the counter-based generator that turns them into
// streams of random numbers. A seed is written down only after the evaluation that used it. Values;
// thread-safe.

#include <array>
#include <cstdint>
#include <string>

#include "core/gates/draw_value.hpp"

namespace kevolve::gates {

struct Seed {
  std::array<std::uint64_t, 2> bits{};

  static Seed fresh();                    ///< from the operating system's generator
  [[nodiscard]] std::string hex() const;  ///< 32 digits
};

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): any block of any
/// stream at once, without state.
class RandomStream {
 public:
  RandomStream(const Seed& seed, std::uint64_t stream) : randomness_{seed.bits[0], stream ^ seed.bits[1]} {}

  /// Four independent words.
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t index) const;
  /// In [0, below), by word 0 of a block; `below` > 0.
  [[nodiscard]] std::uint64_t pick(std::uint64_t index, std::uint64_t below) const {
    return randomness_.pick(index, below);
  }
  /// The same as the GPU's kernels take it.
  [[nodiscard]] const Randomness& randomness() const { return randomness_; }

 private:
  Randomness randomness_;
};

}  // namespace kevolve::gates
