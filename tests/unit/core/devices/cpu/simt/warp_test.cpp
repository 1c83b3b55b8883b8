// Warp collectives against what each lane should get, under every order of threads.

#include <bit>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& warp_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_WARP_KERNELS);
  return library;
}

/// Two warps of one block, in forward, reverse and shuffled order; `check` after each.
template <class Check, class... T>
void run_in_all_orders(const char* name, std::int64_t threads, Check check, const T&... values) {
  Executor executor(1);
  for (const Order order : {Order::forward, Order::reverse, Order::shuffled}) {
    CAPTURE(name, static_cast<int>(order));
    LaunchConfig config = linear(1, threads);
    config.order = order;
    config.order_seed = 11;
    REQUIRE(warp_kernels().launch(executor, name, config, values...).text == "");
    check();
  }
}

}  // namespace

TEST_CASE("shuffles, with widths") {
  std::vector<int> y(64 * 8);
  int* out = y.data();
  run_in_all_orders(
      "shuffles", 64,
      [&] {
        for (int t = 0; t < 64; ++t) {
          const int lane = t % 32, warp = t - lane;
          const auto at = [&](int column) { return y[static_cast<std::size_t>(t + 64 * column)]; };
          CAPTURE(t);
          CHECK(at(0) == 100 + warp + 5);
          CHECK(at(1) == (lane < 3 ? t : t - 3));
          CHECK(at(2) == (lane < 2 ? t + 30 : t));
          CHECK(at(3) == (t ^ 9));
          CHECK(at(4) == t / 8 * 8 + 2);
          CHECK(at(5) == (t % 8 < 5 ? t + 3 : t));
          CHECK(at(6) == (t % 16 < 3 ? t : t - 3));
          CHECK(at(7) == warp + (lane + 1) % 32);
        }
      },
      out);
}

TEST_CASE("shuffles of 64-bit and floating-point values") {
  std::vector<long long> a(32);
  std::vector<double> b(32);
  std::vector<unsigned long long> c(32);
  std::vector<float> d(32);
  auto* pa = a.data();
  auto* pb = b.data();
  auto* pc = c.data();
  auto* pd = d.data();
  run_in_all_orders(
      "wide_types", 32,
      [&] {
        for (int t = 0; t < 32; ++t) {
          const auto i = static_cast<std::size_t>(t);
          CHECK(a[i] == -(1LL << 40) - (t ^ 1));
          CHECK(b[i] == (t < 31 ? t + 1.5 : 31.5));
          CHECK(c[i] == 0xffffffff0000001fULL);
          CHECK(d[i] == (t > 0 ? static_cast<float>(t - 1) : 0.0f) * 0.25f);
        }
      },
      pa, pb, pc, pd);
}

TEST_CASE("votes and matches") {
  std::vector<int> y(64 * 8);
  int* out = y.data();
  run_in_all_orders(
      "votes", 64,
      [&] {
        for (int t = 0; t < 64; ++t) {
          const auto at = [&](int column) {
            return static_cast<unsigned>(y[static_cast<std::size_t>(t + 64 * column)]);
          };
          CAPTURE(t);
          CHECK(at(0) == 0x11111111U);
          CHECK(at(1) == (t >= 32 ? 1U : 0U));
          CHECK(at(2) == (t < 32 ? 1U : 0U));
          CHECK(at(3) == 0xffU << (t % 32 / 8 * 8));
          CHECK(at(4) == 0xffffffffU);
          CHECK(at(5) == 1U);
          CHECK(at(6) == (t < 32 ? 0U : 0xffffffffU));
          CHECK(at(7) == (t < 32 ? 0U : 1U));
        }
      },
      out);
}

TEST_CASE("warp reductions") {
  std::vector<int> y(64 * 3);
  std::vector<unsigned> u(64 * 6);
  int* out = y.data();
  unsigned* uout = u.data();
  run_in_all_orders(
      "reductions", 64,
      [&] {
        for (std::size_t t = 0; t < 64; ++t) {
          CHECK(std::vector<int>{y[t], y[t + 64], y[t + 128]} == std::vector<int>{-16, -26, 5});
          CHECK(std::vector<unsigned>{u[t], u[t + 64], u[t + 128], u[t + 192], u[t + 256], u[t + 320]} ==
                std::vector<unsigned>{496, 0xffffffffU - 31, 0xffffffffU, 0xf0, 0xffffffffU, 0});
        }
      },
      out, uout);
}

TEST_CASE("disjoint groups of a warp go their own ways") {
  std::vector<int> y(64);
  int* out = y.data();
  run_in_all_orders(
      "disjoint_groups", 64,
      [&] {
        for (int t = 0; t < 64; ++t) {
          const int lane = t % 32;
          CHECK(y[static_cast<std::size_t>(t)] == (lane ^ 4) + (lane ^ 2) + (lane ^ 1) + 4);
        }
      },
      out);
}

TEST_CASE("reading a lane that takes no part gives poison") {
  std::vector<unsigned> y(96);
  unsigned* out = y.data();
  std::vector<unsigned> poisons;
  run_in_all_orders(
      "absent_lanes", 32,
      [&] {
        for (std::size_t lane = 0; lane < 20; ++lane) {
          CAPTURE(lane);
          const bool exited = lane + 10 >= 20;
          CHECK((y[lane] == 7) == !exited);
          if (exited) CHECK(std::isnan(std::bit_cast<float>(y[lane])));
          CHECK(y[lane + 64] == 0xfffffU);
        }
        for (std::size_t lane = 0; lane < 8; ++lane) CHECK((y[lane + 32] == 7) == (lane + 4 < 8));
        poisons.push_back(y[19]);
      },
      out);
  CHECK(poisons[0] != poisons[1]);
  CHECK(poisons[1] != poisons[2]);
}

TEST_CASE("a mask without the caller ends the launch") {
  Executor executor(1);
  std::vector<int> y(32);
  int* out = y.data();
  const LaunchStatus status = warp_kernels().launch(executor, "wrong_mask", linear(1, 32), out);
  CHECK(status.kind == LaunchStatus::Kind::trap);
  CHECK(status.text.find("thread (0, 0, 0)") != std::string::npos);
}

TEST_CASE("__activemask is the lanes that have converged") {
  std::vector<unsigned> y(193);
  unsigned* out = y.data();
  run_in_all_orders(
      "converged", 64,
      [&] {
        for (unsigned t = 0; t < 64; ++t) {
          CHECK(y[t] == 0xffffffffU);
          CHECK(y[t + 64] == (t % 2 == 0 ? 1600 + t % 32 / 2 : 0xaaaaaaaaU));
        }
        CHECK(y[192] == 32);
        y[192] = 0;
      },
      out);
}

TEST_CASE("a missing __syncwarp shows, a present one works") {
  Executor executor(1);
  std::vector<int> y(32), reverse(32);
  int *a = y.data(), *b = reverse.data();
  LaunchConfig config = linear(1, 32);
  REQUIRE(warp_kernels().launch(executor, "exchange_race", config, a).ok());
  config.order = Order::reverse;
  REQUIRE(warp_kernels().launch(executor, "exchange_race", config, b).ok());
  CHECK(y != reverse);
  run_in_all_orders(
      "exchange", 32,
      [&] {
        for (int t = 0; t < 32; ++t) CHECK(y[static_cast<std::size_t>(t)] == 31 - t);
      },
      a);
}

TEST_CASE("tiles and partitions of cooperative groups") {
  std::vector<int> y(64 * 7);
  std::vector<double> d(64);
  int* out = y.data();
  double* dout = d.data();
  run_in_all_orders(
      "tiles", 64,
      [&] {
        for (int t = 0; t < 64; ++t) {
          const auto at = [&](int column) { return y[static_cast<std::size_t>(t + 64 * column)]; };
          const int lane = t % 32, warp = t - lane, tile = t / 8 * 8;
          CAPTURE(t);
          CHECK(at(0) == 8 * tile + 28);
          CHECK(at(1) == 6);
          CHECK(at(2) == (tile + 3) * 1000 + t / 8 * 10 + t % 8);
          CHECK(at(3) == t % 8 + 1);
          CHECK(at(4) == lane * warp + lane * (lane - 1) / 2);
          CHECK(at(5) == (0xaa | (t / 8 == 1) << 16 | (t < 32) << 20));
          int size = 0, rank = 0;
          for (int other = warp; other < warp + 32; ++other) {
            if ((other % 3 == 0) != (t % 3 == 0)) continue;
            if (other < t) ++rank;
            ++size;
          }
          CHECK(at(6) == size * 100 + rank);
          CHECK(d[static_cast<std::size_t>(t)] == 321.0 * (lane < 31 ? t + 1 : t));
        }
      },
      out, dout);
}
