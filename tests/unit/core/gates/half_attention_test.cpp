// Attention in fp16: kernels round the weights to fp16 for the tensor cores, PyTorch's own may keep them in
// fp32. Where the weighted values cancel, that is all there is of the error.

#include <algorithm>
#include <cmath>
#include <random>

#include "core/gates/comparison.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/gates/narrow_values.hpp"

namespace kevolve {
using namespace gates;
namespace {

constexpr std::size_t kQueries = 8, kKeys = 512, kColumns = 1024;

double as_it_is(double value) {
  return value;
}

struct Attention {
  Numbers scores;  ///< kQueries x kKeys
  Numbers values;  ///< kKeys x kColumns

  using Round = double (*)(double);
  /// `weight` rounds each weight before it meets the values, `sum` every partial sum.
  [[nodiscard]] Numbers run(Round weight, Round sum) const {
    Numbers out(kQueries * kColumns);
    for (std::size_t q = 0; q < kQueries; ++q) {
      const double* row = scores.data() + q * kKeys;
      const double most = *std::max_element(row, row + kKeys);
      double total = 0;
      double* to = out.data() + q * kColumns;
      for (std::size_t k = 0; k < kKeys; ++k) {
        const double exact = std::exp(row[k] - most), used = weight(exact);
        total += exact;
        for (std::size_t c = 0; c < kColumns; ++c) to[c] = sum(to[c] + used * values[k * kColumns + c]);
      }
      for (std::size_t c = 0; c < kColumns; ++c) to[c] /= total;
    }
    return out;
  }

  /// As the judge observes it: inputs nudged by their last bit in fp32.
  [[nodiscard]] Numbers response(const Numbers& oracle, std::mt19937& random) const {
    Numbers most(oracle.size());
    for (int probe = 0; probe < 4; ++probe) {
      Attention nudged = *this;
      for (Numbers* numbers : {&nudged.scores, &nudged.values})
        for (double& number : *numbers) number *= random() % 2 == 0 ? 1 + 0x1p-24 : 1 - 0x1p-24;
      const Numbers moved = nudged.run(as_it_is, as_it_is);
      for (std::size_t i = 0; i < most.size(); ++i)
        most[i] = std::max(most[i], std::abs(moved[i] - oracle[i]));
    }
    return most;
  }
};

/// The weights of two keys are far above all others, and their values cancel. The second lies almost halfway
/// between two numbers of fp16.
Attention cancelling(std::mt19937& random) {
  constexpr double kWeight = 0.75 + 0.9 * 0x1p-12;
  std::normal_distribution<double> normal;
  Attention attention{Numbers(kQueries * kKeys), Numbers(kKeys * kColumns)};
  for (double& score : attention.scores) score = normal(random) - 30;
  for (double& value : attention.values) value = half(normal(random));
  for (std::size_t q = 0; q < kQueries; ++q) {
    attention.scores[q * kKeys] = 0;
    attention.scores[q * kKeys + 1] = std::log(kWeight);
  }
  for (std::size_t c = 0; c < kColumns; ++c)
    attention.values[kColumns + c] = half(-attention.values[c] / kWeight * (1 + 1e-2 * normal(random)));
  return attention;
}

/// All keys weigh much the same.
Attention diffuse(std::mt19937& random) {
  std::normal_distribution<double> normal;
  Attention attention{Numbers(kQueries * kKeys), Numbers(kKeys * kColumns)};
  for (double& score : attention.scores) score = 0.5 * normal(random);
  for (double& value : attention.values) value = half(normal(random));
  return attention;
}

/// All results lie around 1, but for one.
Attention around_a_mean(std::mt19937& random) {
  Attention attention = diffuse(random);
  for (double& value : attention.values) value = half(value + 1);
  const double mean = attention.run(as_it_is, as_it_is)[7];
  for (std::size_t k = 0; k < kKeys; ++k) {
    double& value = attention.values[k * kColumns + 7];
    value = half(value - mean);
  }
  return attention;
}

class Judged {
 public:
  Judged(Attention attention, std::mt19937& random)
      : attention_(std::move(attention)),
        oracle_(attention_.run(as_it_is, as_it_is)),
        response_(attention_.response(oracle_, random)),
        torch_(stored(
            attention_.run(as_it_is, [](double x) { return static_cast<double>(static_cast<float>(x)); }))) {}

  [[nodiscard]] bool right(Attention::Round weight, Attention::Round sum, DType intermediates) const {
    Expectation expected{"out", "a draw", {kQueries, kColumns}, view(torch_), oracle_, response_};
    expected.intermediates = intermediates;
    const auto answer = stored(attention_.run(weight, sum));
    return compare(expected, view(answer), PrecisionClass::fp16).right();
  }

  /// As if no nudge had moved this element by chance.
  void move_nothing_at(std::size_t index) { response_[index] = 0; }

 private:
  static Elements view(const std::vector<std::byte>& bytes) {
    return {DType::f16, bytes.data(), kQueries * kColumns};
  }
  Attention attention_;
  Numbers oracle_, response_;
  std::vector<std::byte> torch_;
};

}  // namespace

TEST_CASE("weights rounded to fp16 are right where the operator says that kernels round them") {
  std::mt19937 random(7);
  const Judged two_keys(cancelling(random), random), all_keys(diffuse(random), random);
  CHECK(two_keys.right(as_it_is, as_it_is, DType::f32));
  CHECK_FALSE(two_keys.right(half, as_it_is, DType::f32));
  CHECK(two_keys.right(half, as_it_is, DType::f16));
  CHECK(all_keys.right(half, as_it_is, DType::f16));
}

TEST_CASE("a small element in a row around a mean does not rest on its own response") {
  std::mt19937 random(9);
  Judged judged(around_a_mean(random), random);
  judged.move_nothing_at(7);
  CHECK(judged.right(half, as_it_is, DType::f16));
  CHECK_FALSE(judged.right(half, half, DType::f16));
}

TEST_CASE("coarser weights, or sums in fp16, are wrong all the same") {
  std::mt19937 random(8);
  const Judged all_keys(diffuse(random), random);
  CHECK_FALSE(all_keys.right(bfloat, as_it_is, DType::f16));
  CHECK_FALSE(all_keys.right(half, half, DType::f16));
}

}  // namespace kevolve
