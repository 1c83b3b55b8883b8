#include "core/devices/cpu/bandwidth.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "core/process/stopwatch.hpp"

namespace kevolve::cpu {
namespace {

/// Copies `bytes` back and forth in each thread until `total` bytes have moved; bytes a microsecond over all
/// threads.
double copy_rate(int threads, std::size_t bytes, std::size_t total) {
  const auto count = static_cast<std::size_t>(threads);
  std::vector<std::vector<char>> from(count, std::vector<char>(bytes, 1)),
      to(count, std::vector<char>(bytes, 2));
  const std::size_t repeats = std::max<std::size_t>(1, total / (2 * bytes));
  const process::Stopwatch watch;
  std::vector<std::thread> workers;
  for (std::size_t t = 0; t < count; ++t) {
    workers.emplace_back([&, t] {
      for (std::size_t r = 0; r < repeats; ++r) {
        std::memcpy((r % 2 == 0 ? to : from)[t].data(), (r % 2 == 0 ? from : to)[t].data(), bytes);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(count * repeats * 2 * bytes) / (1e6 * watch.seconds());
}

}  // namespace

double copy_bytes_per_us(int threads) {
  double best = 0;
  for (const std::size_t kibibytes : {16, 256, 2048, 16384}) {
    best = std::max(best, copy_rate(std::max(1, threads), kibibytes << 10, std::size_t{256} << 20));
  }
  return best;
}

}  // namespace kevolve::cpu
