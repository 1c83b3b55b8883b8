// Shared memory in all its forms, its poison and guards, stacks, atomics.

#include <setjmp.h>
#include <signal.h>

#include <bit>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/sanitizers.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& memory_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_MEMORY_KERNELS);
  return library;
}

/// What a handler of SIGSEGV saw, for kernels that fault. The executor is lost afterwards: it must not be
/// destroyed.
struct Fault {
  bool happened = false, stack = false, shared = false;
  CurrentThread thread;
};
Fault fault;
sigjmp_buf back;

void on_fault(int, siginfo_t* info, void*) {
  fault = {true, is_stack_guard(info->si_addr), is_shared_guard(info->si_addr), current_thread()};
  siglongjmp(back, 1);
}

template <class... T>
Fault run_into_fault(const char* name, const LaunchConfig& config, const T&... values) {
  fault = {};
  struct sigaction action {
  }, before{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &before);
  const test::LeaksOnPurpose executor_and_launch;
  auto* lost = new Executor(1);
  if (sigsetjmp(back, 1) == 0) static_cast<void>(memory_kernels().launch(*lost, name, config, values...));
  sigaction(SIGSEGV, &before, nullptr);
  return fault;
}

}  // namespace

TEST_CASE("static shared memory in all forms") {
  Executor executor(2);
  const auto expected = [](int t, int n) {
    return static_cast<float>((n - 1 - t) * n + t + 3 + n - 1 + 5 + 7 + 1 + (n - 1 - t) + 11 + 3 * n + 1);
  };
  for (const auto& [name, n] : {std::pair{"shared_forms", 16}, {"shared_forms_double", 8}}) {
    std::vector<float> y(16);
    float* out = y.data();
    REQUIRE(memory_kernels().launch(executor, name, linear(5, n), out).text == "");
    for (int t = 0; t < n; ++t) CHECK(y[static_cast<std::size_t>(t)] == expected(t, n));
  }
}

TEST_CASE("dynamic shared memory under several names and types") {
  Executor executor(1);
  std::vector<float> y(64);
  float* out = y.data();
  const int n = 64;
  REQUIRE(memory_kernels().launch(executor, "dynamic_forms", linear(2, 64, 512), out, n).ok());
  for (int t = 0; t < 64; ++t)
    CHECK(y[static_cast<std::size_t>(t)] == 3.0f * static_cast<float>(63 - t) + 0.5f);
}

TEST_CASE("shared memory is poisoned at the start of every block, differently for each order") {
  Executor executor(2);
  std::set<unsigned> seen;
  for (const auto& [order, seed] :
       {std::pair{Order::forward, 0}, {Order::reverse, 0}, {Order::shuffled, 1}, {Order::shuffled, 2}}) {
    std::vector<unsigned> y(40, 1);
    unsigned* out = y.data();
    LaunchConfig config = linear(20, 1, 64);
    config.order = order;
    config.order_seed = static_cast<std::uint64_t>(seed);
    REQUIRE(memory_kernels().launch(executor, "uninitialised", config, out).ok());
    for (const unsigned value : y) {
      CHECK(value == y[0]);
      CHECK(std::isnan(std::bit_cast<float>(value)));
    }
    CHECK((y[0] & 0x7c00U) == 0x7c00U);  // a NaN as half too
    CHECK((y[0] & 0x03ffU) != 0);
    CHECK((y[0] & 0x7f80U) == 0x7f80U);  // and as bfloat16
    CHECK((y[0] & 0x007fU) != 0);
    seen.insert(y[0]);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("an access past dynamic shared memory faults and is named") {
  std::vector<float> y(1);
  float* out = y.data();
  const int i = 64;
  const Fault seen = run_into_fault("past_dynamic", linear(3, 64, 256), out, i);
  CHECK(seen.happened);
  CHECK(seen.shared);
  CHECK_FALSE(seen.stack);
}

TEST_CASE("a fault finds the block and thread, in a plain loop too") {
  std::vector<float> y(1);
  float* out = y.data();
  const int thread = 77;
  const Fault seen = run_into_fault("past_buffer", linear(3, 128), out, thread);
  REQUIRE(seen.happened);
  CHECK_FALSE(seen.shared);
  CHECK_FALSE(seen.stack);
  CHECK(seen.thread.in_kernel);
  CHECK(seen.thread.place.thread == std::array<std::uint32_t, 3>{77, 0, 0});
  CHECK(seen.thread.place.block == std::array<std::uint32_t, 3>{0, 0, 0});
  CHECK(seen.thread.kernel == std::string("past_buffer"));
}

TEST_CASE("a stack overflow hits the guard below a thread's stack") {
  std::vector<int> y(2);
  int* out = y.data();
  const int shallow = 100, deep = 100000;
  Executor executor(1);
  CHECK(memory_kernels().launch(executor, "recursion", linear(1, 1), out, shallow).ok());
  const Fault seen = run_into_fault("recursion", linear(1, 1), out, deep);
  CHECK(seen.happened);
  CHECK(seen.stack);
  CHECK_FALSE(seen.shared);
}

TEST_CASE("outside of a launch there is no current thread") {
  // On a thread of its own: this one may have left a launch by siglongjmp.
  bool nothing = false;
  std::thread([&nothing] {
    int local = 0;
    nothing = !current_thread().in_kernel && !is_stack_guard(&local) && !is_shared_guard(&local);
  }).join();
  CHECK(nothing);
}

TEST_CASE("more than 48 KiB of static shared memory is a launch error") {
  Executor executor(1);
  std::vector<float> y(1);
  float* out = y.data();
  const LaunchStatus status = memory_kernels().launch(executor, "too_much_static", linear(1, 1), out);
  CHECK(status.kind == LaunchStatus::Kind::launch_error);
  CHECK(status.text.find("48 KiB") != std::string::npos);
}

TEST_CASE("atomics across blocks and within shared memory") {
  Executor executor(2);
  const int blocks = 40, threads = 64, n = blocks * threads;
  std::vector<int> i(4, 0);
  std::vector<unsigned> u{0, 0xffffffffU, 0, 0, 0, 0, 0, 0};
  std::vector<unsigned long long> l(2, 0);
  std::vector<float> f(2, 0);
  std::vector<double> d(1, 0);
  int* pi = i.data();
  unsigned* pu = u.data();
  unsigned long long* pl = l.data();
  float* pf = f.data();
  double* pd = d.data();
  REQUIRE(memory_kernels().launch(executor, "atomics", linear(blocks, threads), pi, pu, pl, pf, pd).ok());
  CHECK(i == std::vector<int>{n, -2 * n, -(n - 1), n - 1});
  CHECK(u == std::vector<unsigned>{0xffffffffU, 0xffff0000U, 0, n % 100, 40, 1, 77, 3U * n});
  CHECK(l[0] == static_cast<unsigned long long>(n) << 32);
  CHECK(l[1] == n - 1);
  CHECK(f == std::vector<float>{n * 0.25f, n * 0.5f});
  CHECK(d[0] == n * 0.5);
}
