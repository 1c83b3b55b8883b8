#include "core/devices/cpu/runner/faults.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>

#include "core/devices/channel.hpp"
#include "core/devices/cpu/runner/guarded_buffer.hpp"
#include "core/devices/cpu/runner/signal_text.hpp"
#include "core/devices/cpu/simt/executor.hpp"

// Everything below runs in signal handlers: no allocation, no locks.
namespace kevolve::cpu::runner {
namespace {

constexpr std::uintptr_t kNullPage = 64 * 1024;
constexpr long long kWriteAccess = 2;  // of the page fault's error code on x86

int report_socket = -1;
std::atomic_flag reported = ATOMIC_FLAG_INIT;

std::string_view role_name(BufferRole role) {
  return role == BufferRole::input ? "input" : role == BufferRole::output ? "output" : "scratch buffer";
}

void describe_buffer_access(SignalText& text, const GuardedBuffer& buffer, std::uintptr_t address,
                            bool write) {
  const PlannedBuffer& planned = buffer.planned();
  const auto size = static_cast<std::int64_t>(size_bytes(planned.dtype));
  const std::int64_t offset = buffer.offset_bytes(address);
  const std::int64_t element = offset >= 0 ? offset / size : -((size - 1 - offset) / size);
  text << (write ? "Write " : "Read ");
  if (offset < 0) {
    text << "before the start of ";
  } else if (offset >= planned.size_bytes()) {
    text << "past the end of ";
  } else {
    text << "to the read-only ";
  }
  text << role_name(planned.role) << " '" << planned.name << "': element [" << element << "] of "
       << planned.elements << " (" << name(planned.dtype) << ")";
}

/// What a fault at `address` means.
Outcome describe_access(SignalText& text, const siginfo_t& info, bool write) {
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  if (info.si_code == SI_KERNEL) {
    text << "Access through a wild pointer (not an address at all), or a misaligned vector access";
  } else if (simt::is_stack_guard(info.si_addr)) {
    text << "Stack overflow: too large local arrays or too deep recursion";
    return Outcome::crash;
  } else if (simt::is_shared_guard(info.si_addr)) {
    text << (write ? "Write" : "Read") << " outside the block's shared memory";
  } else if (const GuardedBuffer* buffer = GuardedBuffer::find(address)) {
    describe_buffer_access(text, *buffer, address, write);
  } else if (address < kNullPage) {
    text << (write ? "Write" : "Read") << " through a null pointer (address ";
    text.hex(address) << ")";
  } else {
    text << (write ? "Write" : "Read") << " through a wild pointer: address ";
    text.hex(address) << " is in or near no buffer";
  }
  return Outcome::illegal_access;
}

Outcome describe_system_call(SignalText& text, int number) {
  if (number == SYS_tgkill) {
    text << "The program called abort()";
  } else {
    text << "Forbidden system call number " << std::int64_t{number};
  }
  return Outcome::crash;
}

Outcome describe(SignalText& text, const siginfo_t& info, bool write) {
  switch (info.si_signo) {
    case SIGSEGV:
    case SIGBUS:
      return describe_access(text, info, write);
    case SIGSYS:
      return describe_system_call(text, info.si_syscall);
    case SIGFPE:
      text << "Integer division by zero or overflow of an integer division";
      return Outcome::crash;
    case SIGILL:
    case SIGTRAP:
      text << "Trap: an illegal instruction was executed";
      return Outcome::crash;
    default:
      text << "The program was aborted";
      return Outcome::crash;
  }
}

void describe_place(SignalText& text) {
  const simt::CurrentThread thread = simt::current_thread();
  if (!thread.in_kernel) {
    text << ", outside a kernel.";
    return;
  }
  text << ", by thread " << thread.place.thread << " of block " << thread.place.block;
  if (thread.kernel != nullptr) text << " in kernel '" << thread.kernel << "'";
  text << ".";
}

void handle(int, siginfo_t* info, void* context) {
  while (reported.test_and_set()) ::sched_yield();  // another thread reports and ends the process
  const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  const bool write = (registers[REG_ERR] & kWriteAccess) != 0;
  SignalText text;
  const Outcome outcome = describe(text, *info, write);
  describe_place(text);
  channel::send(report_socket,
                channel::Reply{channel::ReplyKind::stopped, static_cast<std::uint32_t>(outcome)},
                text.view());
  ::_exit(1);
}

}  // namespace

void report_faults(int socket) {
  report_socket = socket;
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    ::sigaction(signal, &action, nullptr);
}

}  // namespace kevolve::cpu::runner
