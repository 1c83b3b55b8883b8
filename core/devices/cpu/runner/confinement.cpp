#include "core/devices/cpu/runner/confinement.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace kevolve::cpu::runner {
namespace {

constexpr rlim_t kDataBytes = rlim_t{2} << 30, kDataBytesOfThread = rlim_t{512} << 20;
constexpr rlim_t kProcessorSeconds = 4 * 3600;
constexpr rlim_t kOpenFiles = 128;

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// What a launch and the exchange of packets need: memory, futexes, time, the socket, the end.
constexpr std::initializer_list<int> kAlways{
    SCMP_SYS(recvmsg),         SCMP_SYS(sendmsg),      SCMP_SYS(close),
    SCMP_SYS(munmap),          SCMP_SYS(brk),          SCMP_SYS(madvise),
    SCMP_SYS(futex),           SCMP_SYS(sched_yield),  SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),    SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getpid),          SCMP_SYS(gettid),       SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/// What the dynamic linker needs, and the second filter.
constexpr std::initializer_list<int> kWhileLoading{
    SCMP_SYS(openat),     SCMP_SYS(open),     SCMP_SYS(read),   SCMP_SYS(pread64), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(stat),     SCMP_SYS(statx),  SCMP_SYS(lseek),   SCMP_SYS(getcwd),
    SCMP_SYS(mmap),       SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(prctl),   SCMP_SYS(seccomp)};

Result<void> refused(const char* what, int code) {
  return failure(std::string(what) + ": " + std::strerror(code));
}

/// Everything not allowed raises SIGSYS, which is reported with the call's number; for all threads at once.
Result<Filter> fresh_filter() {
  Filter filter(::seccomp_init(SCMP_ACT_TRAP));
  if (!filter) return failure("seccomp_init failed");
  if (const int code = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); code != 0)
    return failure(std::string("seccomp thread synchronisation: ") + std::strerror(-code));
  return filter;
}

Result<void> allow(const Filter& filter, std::initializer_list<int> calls) {
  for (const int call : calls)
    if (const int code = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0); code != 0)
      return refused("seccomp_rule_add", -code);
  return {};
}

Result<void> load(const Filter& filter) {
  if (const int code = ::seccomp_load(filter.get()); code != 0) return refused("seccomp_load", -code);
  return {};
}

}  // namespace

Result<void> apply_limits(int threads) {
  const std::initializer_list<std::pair<__rlimit_resource, rlim_t>> limits{
      {RLIMIT_CORE, 0},
      {RLIMIT_FSIZE, 0},
      {RLIMIT_NOFILE, kOpenFiles},
      {RLIMIT_CPU, kProcessorSeconds},
#ifndef __SANITIZE_ADDRESS__  // its shadow memory counts as data
      {RLIMIT_DATA, kDataBytes + static_cast<rlim_t>(threads) * kDataBytesOfThread},
#endif
  };
  for (const auto& [resource, value] : limits) {
    const rlimit both{value, value};
    if (::setrlimit(resource, &both) != 0) return refused("setrlimit", errno);
  }
  return {};
}

Result<void> forbid_most_system_calls() {
  auto filter = fresh_filter();
  if (!filter) return failure(filter.error());
  for (const auto& calls : {kAlways, kWhileLoading})
    if (auto done = allow(*filter, calls); !done) return done;
  return load(*filter);
}

Result<void> forbid_loading() {
  auto filter = fresh_filter();
  if (!filter) return failure(filter.error());
  if (auto done = allow(*filter, kAlways); !done) return done;
  int code = ::seccomp_rule_add(filter->get(), SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // Not fatal: the C library's malloc tries them and can do without.
  for (const int call : {SCMP_SYS(mprotect), SCMP_SYS(mremap)})
    if (code == 0) code = ::seccomp_rule_add(filter->get(), SCMP_ACT_ERRNO(EPERM), call, 0);
  if (code != 0) return refused("seccomp_rule_add", -code);
  return load(*filter);
}

}  // namespace kevolve::cpu::runner
