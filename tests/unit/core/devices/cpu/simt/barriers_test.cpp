// Barriers of blocks and grids, orders of execution, forward progress.

#include <numeric>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& barriers_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_BARRIER_KERNELS);
  return library;
}

LaunchConfig in_order(LaunchConfig config, Order order, std::uint64_t seed = 0) {
  config.order = order;
  config.order_seed = seed;
  return config;
}

}  // namespace

TEST_CASE("a reduction with barriers gives the same bits under every order") {
  Executor executor(2);
  std::vector<float> x(40 * 256);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.0f / static_cast<float>(i + 1);
  const float* in = x.data();
  std::vector<float> forward(40), other(40);
  float* out = forward.data();
  REQUIRE(barriers_kernels().launch(executor, "block_sum", linear(40, 256), in, out).ok());
  const double sum = std::accumulate(x.begin() + 256, x.begin() + 512, 0.0);
  CHECK(forward[1] == Approx(sum));
  for (const auto& [order, seed] :
       {std::pair{Order::reverse, 0}, {Order::shuffled, 1}, {Order::shuffled, 2}}) {
    float* to = other.data();
    REQUIRE(barriers_kernels()
                .launch(executor, "block_sum",
                        in_order(linear(40, 256), order, static_cast<std::uint64_t>(seed)), in, to)
                .ok());
    CHECK(other == forward);
  }
}

TEST_CASE("a reduction without its barrier differs between orders") {
  Executor executor(1);
  std::vector<float> x(256, 1.0f), forward(1), reverse(1);
  const float* in = x.data();
  float *a = forward.data(), *b = reverse.data();
  REQUIRE(barriers_kernels().launch(executor, "block_sum_without_barrier", linear(1, 256), in, a).ok());
  REQUIRE(barriers_kernels()
              .launch(executor, "block_sum_without_barrier", in_order(linear(1, 256), Order::reverse), in, b)
              .ok());
  CHECK(forward[0] != reverse[0]);
}

TEST_CASE("orders hold for every pair of neighbours after a barrier") {
  Executor executor(1);
  std::vector<int> forward(128), reverse(128);
  int *a = forward.data(), *b = reverse.data();
  REQUIRE(barriers_kernels().launch(executor, "neighbour_race", linear(1, 128), a).ok());
  REQUIRE(barriers_kernels()
              .launch(executor, "neighbour_race", in_order(linear(1, 128), Order::reverse), b)
              .ok());
  for (std::size_t t = 0; t < 127; ++t) {
    CAPTURE(t);
    CHECK(forward[t] == 0);                        // the neighbour comes later
    CHECK(reverse[t] == static_cast<int>(t) + 2);  // the neighbour came before
  }
  CHECK(forward[127] == 1);
  CHECK(reverse[127] == 0);
}

TEST_CASE("__syncthreads_count, _and and _or see every thread") {
  Executor executor(1);
  std::vector<int> y(5);
  int* out = y.data();
  REQUIRE(barriers_kernels().launch(executor, "predicates", linear(1, 256), out).ok());
  CHECK(y == std::vector<int>{86, 0, 1, 1, 0});
}

TEST_CASE("exited threads count as arrived") {
  Executor executor(1);
  for (const int n : {1, 31, 32, 33, 100, 255}) {
    CAPTURE(n);
    std::vector<int> y(256, 0);
    int* out = y.data();
    REQUIRE(barriers_kernels().launch(executor, "early_exit", linear(1, 256), out, n).ok());
    for (int t = 0; t < n; ++t) CHECK(y[static_cast<std::size_t>(t)] == 2 + n);
  }
}

TEST_CASE("threads at barriers that cannot complete are a deadlock, named with barriers and threads") {
  Executor executor(2);
  std::vector<int> y(64);
  int* out = y.data();
  const LaunchStatus status = barriers_kernels().launch(executor, "divergent", linear(3, 64), out);
  CHECK(status.kind == LaunchStatus::Kind::deadlock);
  CAPTURE(status.text);
  CHECK(status.text.find("32 threads wait at __syncthreads()") != std::string::npos);
  CHECK(status.text.find("16 threads wait at __syncwarp with mask 0xffffffff (first: thread (16, 0, 0))") !=
        std::string::npos);
  // The executor is usable afterwards.
  std::vector<int> z(5);
  int* after = z.data();
  REQUIRE(barriers_kernels().launch(executor, "predicates", linear(1, 256), after).ok());
  CHECK(z[0] == 86);
}

TEST_CASE("three-dimensional indices") {
  Executor executor(2);
  LaunchConfig config;
  config.grid = {3, 2, 2};
  config.block = {4, 3, 2};
  std::vector<int> y(12 * 24, -1);
  std::vector<unsigned> shape(4);
  int* out = y.data();
  unsigned* shapes = shape.data();
  // Many seeds: a shuffled order that is no permutation skips blocks, but not under every seed.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Order order = seed == 0 ? Order::forward : seed == 1 ? Order::reverse : Order::shuffled;
    CAPTURE(seed);
    y.assign(y.size(), -1);
    REQUIRE(barriers_kernels().launch(executor, "indices", in_order(config, order, seed), out, shapes).ok());
    for (int block = 0; block < 12; ++block) {
      for (int rank = 0; rank < 24; ++rank)
        REQUIRE(y[static_cast<std::size_t>(block * 24 + rank)] ==
                100 * (block % 3 + 10 * (block / 3 % 2)) + rank % 4 + 10 * (rank / 4 % 3));
    }
    CHECK(shape == std::vector<unsigned>{3, 2, 3, 32});
  }
}

TEST_CASE("grid-wide barriers, with several resident blocks on an OS thread") {
  Executor executor(2);
  for (const std::int64_t blocks : {1, 2, 7, 20}) {
    CAPTURE(blocks);
    const int n = static_cast<int>(blocks * 64);
    std::vector<int> x(static_cast<std::size_t>(n)), y(x);
    int *a = x.data(), *b = y.data();
    LaunchConfig config = linear(blocks, 64);
    config.cooperative = true;
    for (const Order order : {Order::forward, Order::reverse, Order::shuffled}) {
      REQUIRE(barriers_kernels().launch(executor, "grid_stages", in_order(config, order, 3), a, b, n).text ==
              "");
      for (int i = 0; i < n; ++i) REQUIRE(y[static_cast<std::size_t>(i)] == 4000 + (i + 77) % n);
    }
  }
}

TEST_CASE("a grid-wide barrier needs a cooperative launch") {
  Executor executor(1);
  std::vector<int> x(64), y(64);
  int *a = x.data(), *b = y.data();
  const int n = 64;
  const LaunchStatus status = barriers_kernels().launch(executor, "grid_stages", linear(1, 64), a, b, n);
  CHECK(status.kind == LaunchStatus::Kind::trap);
  CHECK(status.text.find("cooperative") != std::string::npos);
}

TEST_CASE("a cooperative launch beyond what can be resident is refused") {
  Executor executor(2);
  CHECK(executor.max_resident_blocks(1024, 0) == 4);
  CHECK(executor.max_resident_blocks(32, 0) == 32);
  CHECK(executor.max_resident_blocks(32, 100 * 1024) == 4);
  std::vector<int> y(8);
  int* out = y.data();
  LaunchConfig config = linear(5, 1024);
  config.cooperative = true;
  const LaunchStatus status = barriers_kernels().launch(executor, "grid_skip", config, out);
  CHECK(status.kind == LaunchStatus::Kind::launch_error);
  CHECK(status.text.find("only 4 blocks") != std::string::npos);
}

TEST_CASE("a block that skips the grid-wide barrier is a deadlock") {
  Executor executor(2);
  std::vector<int> y(4);
  int* out = y.data();
  LaunchConfig config = linear(4, 32);
  config.cooperative = true;
  const LaunchStatus status = barriers_kernels().launch(executor, "grid_skip", config, out);
  CHECK(status.kind == LaunchStatus::Kind::deadlock);
  CHECK(status.text.find("grid-wide") != std::string::npos);
}

TEST_CASE("threads that poll let others run") {
  Executor executor(2);
  SECTION("a lock") {
    int lock = 0, counter = 0;
    int *a = &lock, *b = &counter;
    REQUIRE(barriers_kernels().launch(executor, "lock", linear(8, 64), a, b).ok());
    CHECK(counter == 512);
  }
  SECTION("an earlier thread waits for a later one") {
    for (const Order order : {Order::forward, Order::reverse}) {
      int flag = 0, y = 0;
      int *a = &flag, *b = &y;
      REQUIRE(
          barriers_kernels().launch(executor, "later_thread", in_order(linear(1, 256), order), a, b).ok());
      CHECK(y == 42);
    }
  }
  SECTION("an earlier block waits for a later one") {
    Executor one(1);
    int flag = 0;
    std::vector<int> y(64);
    int *a = &flag, *b = y.data();
    REQUIRE(barriers_kernels().launch(one, "later_block", linear(6, 64), a, b).ok());
    CHECK(y == std::vector<int>(64, 42));
  }
  SECTION("the last block adds up") {
    std::vector<float> x(50 * 64, 1.0f), partial(50);
    unsigned ticket = 0;
    float y = 0;
    const float* in = x.data();
    float *p = partial.data(), *out = &y;
    unsigned* t = &ticket;
    REQUIRE(barriers_kernels()
                .launch(executor, "last_block", in_order(linear(50, 64), Order::shuffled, 9), in, p, t, out)
                .ok());
    CHECK(y == 3200.0f);
  }
}
