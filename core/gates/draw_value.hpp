#pragma once
// The value that a drawn tensor has at one place: a pure function of seed, stream, segment and index, so that
// any thread of a host or a GPU draws any element.
//
// This text is also part of the judge's GPU kernels; element_values.hpp says what it may use.

#include <math.h>
#include <stdint.h>

namespace kevolve::gates {

struct RandomWords {
  uint32_t word[4];
};

/// Philox 4x32-10. `key` and `upper`: the words of the seed, the latter mixed with the stream.
inline RandomWords philox(uint64_t key, uint64_t upper, uint64_t index) {
  uint32_t x0 = static_cast<uint32_t>(index), x1 = static_cast<uint32_t>(index >> 32);
  uint32_t x2 = static_cast<uint32_t>(upper), x3 = static_cast<uint32_t>(upper >> 32);
  uint32_t key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * x0, b = uint64_t{0xCD9E8D57} * x2;
    x0 = static_cast<uint32_t>(b >> 32) ^ x1 ^ key0;
    x1 = static_cast<uint32_t>(b);
    x2 = static_cast<uint32_t>(a >> 32) ^ x3 ^ key1;
    x3 = static_cast<uint32_t>(a);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {{x0, x1, x2, x3}};
}

/// The random words of one tensor.
struct Randomness {
  uint64_t key = 0, upper = 0;

  RandomWords block(uint64_t index) const { return philox(key, upper, index); }
  /// In [0, below).
  uint64_t pick(uint64_t index, uint64_t below) const {
    const RandomWords words = block(index);
    return (static_cast<uint64_t>(words.word[0]) << 32 | words.word[1]) % below;
  }
};

// Blocks of random words beyond every index of an element.
constexpr uint64_t kSegmentBlocks = uint64_t{1} << 60, kChoiceBlocks = uint64_t{1} << 61;
constexpr uint64_t kCentreBlocks = uint64_t{1} << 62, kPlaceBlocks = uint64_t{1} << 63;

enum class DrawRegime : uint32_t { constant, ramp, normal, uniform, mixed_magnitude, integers, clustered };

/// Elements from `begin` to the next segment's, all of one regime.
struct DrawSegment {
  uint64_t begin = 0;
  DrawRegime regime = DrawRegime::constant;
  /// constant: value. ramp: value at 0, step. normal: mean, deviation. uniform, mixed_magnitude (exponents),
  /// integers: low, high. clustered: clusters, spread.
  double a = 0, b = 0;
};

/// A value set after the segments are filled.
struct DrawSingle {
  uint64_t index = 0;
  double value = 0;
};

/// In (0, 1].
inline double unit_interval(uint32_t word) {
  return (static_cast<double>(word) + 1) * 0x1p-32;
}

/// Box-Muller: the `which`-th of the four normals of a block of words.
inline double normal_of(const RandomWords& words, uint64_t which) {
  const bool second = (which & 2) != 0;
  const auto first = static_cast<float>(unit_interval(second ? words.word[2] : words.word[0]));
  const auto other = static_cast<float>(unit_interval(second ? words.word[3] : words.word[1]));
  const float radius = sqrtf(-2 * logf(first)), angle = 6.283185307f * other;
  return static_cast<double>(radius * ((which & 1) != 0 ? sinf(angle) : cosf(angle)));
}

inline double normal_at(const DrawSegment& segment, uint64_t index, const Randomness& random) {
  const uint64_t offset = index - segment.begin;
  return normal_of(random.block(segment.begin + (offset & ~uint64_t{3})), offset & 3);
}

inline double drawn_value(const DrawSegment& segment, uint64_t index, const Randomness& random) {
  const double a = segment.a, b = segment.b;
  switch (segment.regime) {
    case DrawRegime::constant:
      return a;
    case DrawRegime::ramp:
      return a + b * static_cast<double>(index);
    case DrawRegime::normal:
      return a + b * normal_at(segment, index, random);
    case DrawRegime::uniform:
      return a + (b - a) * unit_interval(random.block(index).word[0]);
    case DrawRegime::mixed_magnitude: {
      const RandomWords words = random.block(index);
      const double size = exp2(a + (b - a) * unit_interval(words.word[0]));
      return (words.word[1] & 1) != 0 ? size : -size;
    }
    case DrawRegime::integers:
      return a + static_cast<double>(random.pick(index, static_cast<uint64_t>(b - a) + 1));
    case DrawRegime::clustered: {
      const uint64_t cluster = random.pick(kChoiceBlocks + index, static_cast<uint64_t>(a));
      const double centre = 8 * unit_interval(random.block(kCentreBlocks + cluster).word[0]) - 4;
      return centre + b * normal_at(segment, index, random);
    }
  }
  return 0;
}

/// The segment that holds element `index`, by binary search.
inline uint64_t segment_of(const DrawSegment* segments, uint64_t number, uint64_t index) {
  uint64_t low = 0, high = number;  // segments[low].begin <= index < segments[high].begin
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (segments[middle].begin <= index ? low : high) = middle;
  }
  return low;
}

}  // namespace kevolve::gates
