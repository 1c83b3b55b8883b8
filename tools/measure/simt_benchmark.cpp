// What the SIMT runtime costs, on one OS thread. `steps/s`: CUDA threads × stretches between barriers, per
// second.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

namespace {

using namespace kevolve::simt;

constexpr int kBlocks = 64;
constexpr int kThreads = 256;

const KernelLibrary& kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_SIMT_BENCHMARK_KERNELS);
  return library;
}

void must_pass(const LaunchStatus& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.text.c_str());
  std::exit(1);
}

void count_steps(benchmark::State& state, double steps_per_thread) {
  state.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kBlocks * kThreads * steps_per_thread,
                         benchmark::Counter::kIsRate);
}

// 256 threads, 9 barriers: ten stretches for each thread.
void reduce_in_shared_memory(benchmark::State& state) {
  Executor executor(1);
  std::vector<float> x(kBlocks * kThreads, 1.0f), y(kBlocks);
  const float* in = x.data();
  float* out = y.data();
  for (auto _ : state) must_pass(kernels().launch(executor, "reduce", linear(kBlocks, kThreads), in, out));
  if (y[kBlocks - 1] != kThreads) std::abort();
  count_steps(state, 10);
}

void barriers_only(benchmark::State& state) {
  Executor executor(1);
  const int threads = static_cast<int>(state.range(0));
  std::vector<float> y(kBlocks);
  float* out = y.data();
  const int steps = 100 * kThreads / threads;
  for (auto _ : state)
    must_pass(kernels().launch(executor, "barriers", linear(kBlocks, threads, threads * 4), out, steps));
  count_steps(state, 100);
}

void warp_shuffles(benchmark::State& state) {
  Executor executor(1);
  std::vector<float> x(kBlocks * kThreads, 1.0f), y(kBlocks * kThreads / 32);
  const float* in = x.data();
  float* out = y.data();
  for (auto _ : state) must_pass(kernels().launch(executor, "shuffles", linear(kBlocks, kThreads), in, out));
  if (y[0] != 32) std::abort();
  count_steps(state, 6);
}

void plain_loop(benchmark::State& state) {
  Executor executor(1);
  const int n = kBlocks * kThreads;
  std::vector<float> x(n, 1.0f), y(n, 0.0f);
  const float* in = x.data();
  float* out = y.data();
  const float a = 2;
  for (auto _ : state)
    must_pass(kernels().launch(executor, "axpy", linear(kBlocks, kThreads), a, in, out, n));
  count_steps(state, 1);
}

void histogram_in_shared_memory(benchmark::State& state) {
  Executor executor(1);
  const int n = 1 << 20;
  std::vector<int> x(n), bins(256, 0);
  for (int i = 0; i < n; ++i) x[i] = static_cast<int>(static_cast<unsigned>(i) * 40503u >> 3 & 0xffff);
  const int* in = x.data();
  int* out = bins.data();
  for (auto _ : state)
    must_pass(kernels().launch(executor, "histogram", linear(kBlocks, kThreads), in, out, n));
  state.SetItemsProcessed(state.iterations() * n);
}

BENCHMARK(reduce_in_shared_memory);
BENCHMARK(barriers_only)->Arg(32)->Arg(256)->Arg(1024);
BENCHMARK(warp_shuffles);
BENCHMARK(plain_loop);
BENCHMARK(histogram_in_shared_memory);

}  // namespace

BENCHMARK_MAIN();
