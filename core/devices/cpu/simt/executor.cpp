#include "core/devices/cpu/simt/executor.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "core/devices/cpu/simt/describe.hpp"
#include "core/devices/cpu/simt/worker.hpp"

namespace kevolve::simt {
namespace {

constexpr int kMaxWorkers = 24;          // their guards must stay below Linux's 65530 mappings a process
constexpr int kSpinsBeforeSleep = 4000;  // about 50 µs of polling between launches
constexpr std::size_t kSignalStackBytes = 64 * 1024;

// Two blocks of 1024 threads a worker, as on a multiprocessor; one where there are many workers.
std::size_t fibers_per_worker(int workers) {
  return workers <= 10 ? 2048 : 1024;
}

thread_local const Worker* this_worker = nullptr;

void install_signal_stack() {
  stack_t present{};
  if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  void* memory = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t fresh{};
  fresh.ss_sp = memory;
  fresh.ss_size = kSignalStackBytes;
  if (memory == MAP_FAILED || sigaltstack(&fresh, nullptr) != 0) {
    std::perror("simt: cannot install a signal stack");
    std::abort();
  }
}

void relax() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

std::string count_of(std::int64_t number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

const char* kind_name(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::pointer:
      return "a pointer";
    case ParameterKind::integer:
      return "an integer";
    case ParameterKind::floating:
      return "a floating-point number";
    case ParameterKind::other:
      break;
  }
  return "a value";
}

std::string check_arguments(const Entry& entry, std::span<const Argument> arguments) {
  if (arguments.size() != entry.parameter_count) {
    return fmt::format("Kernel {} takes {}, but the launch passes {}.", entry.name,
                       count_of(entry.parameter_count, "parameter"), arguments.size());
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = entry.parameters[i];
    const Argument& argument = arguments[i];
    const bool same_kind = parameter.kind == ParameterKind::other || argument.kind == ParameterKind::other ||
                           parameter.kind == argument.kind;
    if (parameter.size_bytes == argument.size_bytes && same_kind) continue;
    return fmt::format("Kernel {}: parameter {} is {} of {}, but the launch passes {} of {}.", entry.name,
                       i + 1, kind_name(parameter.kind), count_of(parameter.size_bytes, "byte"),
                       kind_name(argument.kind),
                       count_of(static_cast<std::int64_t>(argument.size_bytes), "byte"));
  }
  return {};
}

std::string check_shape(const Entry& entry, const LaunchConfig& config) {
  constexpr std::array<std::int64_t, 3> kMaxGrid{2147483647, 65535, 65535}, kMaxBlock{1024, 1024, 64};
  for (std::size_t i = 0; i < 3; ++i) {
    const char axis = "xyz"[i];
    if (config.grid[i] < 1 || config.grid[i] > kMaxGrid[i]) {
      return fmt::format("Kernel {}: grid.{} is {}; expected 1 to {}.", entry.name, axis, config.grid[i],
                         kMaxGrid[i]);
    }
    if (config.block[i] < 1 || config.block[i] > kMaxBlock[i]) {
      return fmt::format("Kernel {}: block.{} is {}; expected 1 to {}.", entry.name, axis, config.block[i],
                         kMaxBlock[i]);
    }
  }
  const std::int64_t threads = config.block[0] * config.block[1] * config.block[2];
  if (threads > kMaxThreadsPerBlock) {
    return fmt::format("Kernel {}: a block of {} threads; at most {} are possible.", entry.name, threads,
                       kMaxThreadsPerBlock);
  }
  if (config.dynamic_shared_bytes < 0 || config.dynamic_shared_bytes > kMaxDynamicSharedBytes) {
    return fmt::format("Kernel {}: {} bytes of dynamic shared memory; expected 0 to {}.", entry.name,
                       config.dynamic_shared_bytes, kMaxDynamicSharedBytes);
  }
  return {};
}

}  // namespace

/// The helper threads sleep on `generation`; the launching thread waits for `busy` to fall to 0.
class Executor::Impl {
 public:
  explicit Impl(int threads) : helpers_wanted_(std::clamp(threads, 1, kMaxWorkers) - 1) {
    const std::size_t fibers = fibers_per_worker(helpers_wanted_ + 1);
    install_signal_stack();
    for (int i = 0; i <= helpers_wanted_; ++i) workers_.push_back(std::make_unique<Worker>(fibers));
    this_worker = workers_[0].get();
    ready_ = 0;
    for (int i = 1; i <= helpers_wanted_; ++i) helpers_.emplace_back([this, i] { help(i); });
    // A thread that is still being set up needs system calls that a sandbox may soon forbid.
    while (ready_.load() != helpers_wanted_) std::this_thread::yield();
  }

  ~Impl() {
    stopping_ = true;
    generation_.fetch_add(1);
    generation_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
    this_worker = nullptr;
  }

  [[nodiscard]] int workers() const { return helpers_wanted_ + 1; }

  LaunchStatus launch(const Entry& entry, const LaunchConfig& config) {
    std::vector<void*> values;
    for (const Argument& argument : config.arguments) values.push_back(const_cast<void*>(argument.value));
    const std::int64_t blocks = config.grid[0] * config.grid[1] * config.grid[2];
    const int used = static_cast<int>(std::min<std::int64_t>(workers(), blocks));
    Launch launch(entry, config, values.data(), used);
    if (used > 1) {
      launch_ = &launch;
      busy_.store(helpers_wanted_);
      generation_.fetch_add(1);
      generation_.notify_all();
    }
    workers_[0]->work(launch);
    if (used > 1) wait_until(busy_, [](int busy) { return busy == 0; });
    return launch.take_status();
  }

 private:
  template <class T, class Condition>
  static T wait_until(std::atomic<T>& value, Condition reached) {
    for (int spin = 0;; ++spin) {
      const T seen = value.load(std::memory_order_acquire);
      if (reached(seen)) return seen;
      if (spin < kSpinsBeforeSleep) {
        relax();
      } else {
        value.wait(seen);
      }
    }
  }

  void help(int index) {
    install_signal_stack();
    this_worker = workers_[static_cast<std::size_t>(index)].get();
    std::uint32_t done = generation_.load();
    ready_.fetch_add(1);
    for (;;) {
      done = wait_until(generation_, [done](std::uint32_t now) { return now != done; });
      if (stopping_) return;
      if (index < launch_->workers) workers_[static_cast<std::size_t>(index)]->work(*launch_);
      if (busy_.fetch_sub(1) == 1) busy_.notify_one();
    }
  }

  const int helpers_wanted_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> helpers_;
  Launch* launch_ = nullptr;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<int> busy_{0}, ready_{0};
  std::atomic<bool> stopping_{false};
};

Executor::Executor(int threads) : impl_(std::make_unique<Impl>(threads)) {}
Executor::~Executor() = default;

int Executor::threads() const {
  return impl_->workers();
}

std::int64_t Executor::max_resident_blocks(std::int64_t threads_per_block,
                                           std::int64_t dynamic_shared_bytes) const {
  std::int64_t each =
      static_cast<std::int64_t>(fibers_per_worker(threads())) / std::max<std::int64_t>(threads_per_block, 1);
  each = std::min<std::int64_t>(each, kResidentBlocks);
  if (dynamic_shared_bytes > 0) each = std::min(each, kMaxDynamicSharedBytes / dynamic_shared_bytes);
  return each * threads();
}

LaunchStatus Executor::launch(const void* entry_address, const LaunchConfig& config) {
  const auto refused = [](std::string text) {
    return LaunchStatus{LaunchStatus::Kind::launch_error, std::move(text), {}};
  };
  if (entry_address == nullptr) return refused("No kernel to launch: the entry is null.");
  const Entry& entry = *static_cast<const Entry*>(entry_address);
  if (entry.abi_version != kAbiVersion) {
    return refused(fmt::format(
        "The candidate was compiled against SIMT interface {}, this runner has {}: compile it again.",
        entry.abi_version, kAbiVersion));
  }
  if (std::string text = check_shape(entry, config); !text.empty()) return refused(std::move(text));
  if (std::string text = check_arguments(entry, config.arguments); !text.empty())
    return refused(std::move(text));
  const std::int64_t blocks = config.grid[0] * config.grid[1] * config.grid[2];
  const std::int64_t threads = config.block[0] * config.block[1] * config.block[2];
  const std::int64_t resident = max_resident_blocks(threads, config.dynamic_shared_bytes);
  if (config.cooperative && blocks > resident) {
    return refused(
        fmt::format("Kernel {}: a cooperative launch of {} blocks, but only {} blocks of {} threads with {} "
                    "bytes of dynamic shared memory can be resident at once.",
                    entry.name, blocks, resident, threads, config.dynamic_shared_bytes));
  }
  return impl_->launch(entry, config);
}

CurrentThread current_thread() {
  Worker* worker = Worker::current();
  if (worker == nullptr) return {};
  return {true, worker->place(), worker->launch().entry.name};
}

bool is_stack_guard(const void* address) {
  return this_worker != nullptr && this_worker->in_stack_guard(address);
}
bool is_shared_guard(const void* address) {
  return this_worker != nullptr && this_worker->in_shared_guard(address);
}

}  // namespace kevolve::simt
