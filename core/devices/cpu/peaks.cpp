#include "core/devices/cpu/peaks.hpp"

#include <immintrin.h>

#include <algorithm>
#include <barrier>
#include <functional>
#include <thread>
#include <vector>

#include "core/process/stopwatch.hpp"

namespace kevolve::cpu {
namespace {

// 8 MiB a buffer: with caches flushed, 30 GB/s a thread, as unflushed buffers of 32 MiB (27), which take four
// times as long to fill; measured on two threads of an EPYC (Zen 4).
constexpr std::size_t kElements = std::size_t{2} << 20;
constexpr int kCopies = 5;
constexpr int kBursts = 40;
constexpr int kSteps = 10'000;

void flush(const std::vector<float>& values) {
  for (std::size_t i = 0; i < values.size(); i += 16) _mm_clflush(&values[i]);
  _mm_mfence();
}

/// The sum over threads of each one's best rate: other work on the machine lowers a rate, never raises it.
double together(int threads, const std::function<double(std::barrier<>&)>& rate) {
  const auto count = static_cast<std::size_t>(std::max(1, threads));
  std::barrier<> start(static_cast<std::ptrdiff_t>(count));
  std::vector<double> rates(count);
  std::vector<std::thread> workers;
  for (double& own : rates) workers.emplace_back([&] { own = rate(start); });
  for (std::thread& worker : workers) worker.join();
  double sum = 0;
  for (const double own : rates) sum += own;
  return sum;
}

double cold_copy_rate(std::barrier<>& start) {
  const std::vector<float> x(kElements, 1.0F);
  std::vector<float> y(kElements, 2.0F);
  double best = 0;
  for (int copy = 0; copy < kCopies; ++copy) {
    flush(x);
    flush(y);
    start.arrive_and_wait();
    const process::Stopwatch watch;
    for (std::size_t i = 0; i < kElements; ++i) y[i] = x[i] * 1.5F;
    best = std::max(best, 2.0 * sizeof(float) * kElements / (1e6 * watch.seconds()));
  }
  return best;
}

// Enough independent sums to hide the latency of two units.
__attribute__((target("avx512f"))) float burst_512() {
  constexpr int kSums = 16;
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1.0F);
  const __m512 factor = _mm512_set1_ps(0.999F), term = _mm512_set1_ps(0.5F);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, term);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  float lanes[16];
  _mm512_storeu_ps(lanes, sums[0]);
  return lanes[0] + lanes[15];
}

__attribute__((target("avx2,fma"))) float burst_256() {
  constexpr int kSums = 12;
  __m256 sums[kSums];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1.0F);
  const __m256 factor = _mm256_set1_ps(0.999F), term = _mm256_set1_ps(0.5F);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, term);
  }
  for (int i = 1; i < kSums; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  float lanes[8];
  _mm256_storeu_ps(lanes, sums[0]);
  return lanes[0] + lanes[7];
}

double burst_rate(std::barrier<>& start, float (*burst)(), double flops) {
  volatile float sink = 0;
  double best = 0;
  start.arrive_and_wait();
  for (int i = 0; i < kBursts; ++i) {
    const process::Stopwatch watch;
    sink = burst();
    best = std::max(best, flops / (1e6 * watch.seconds()));
  }
  static_cast<void>(sink);
  return best;
}

}  // namespace

double cold_copy_bytes_per_us(int threads) {
  return together(threads, cold_copy_rate);
}

double fma_flops_per_us(int threads) {
  constexpr double kFlops512 = 2.0 * 16 * 16 * kSteps, kFlops256 = 2.0 * 12 * 8 * kSteps;
  if (__builtin_cpu_supports("avx512f"))
    return together(threads, [&](std::barrier<>& start) { return burst_rate(start, burst_512, kFlops512); });
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return together(threads, [&](std::barrier<>& start) { return burst_rate(start, burst_256, kFlops256); });
  return 0;
}

}  // namespace kevolve::cpu
