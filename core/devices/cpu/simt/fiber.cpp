#include "core/devices/cpu/simt/fiber.hpp"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace kevolve::simt {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kGuardBytes = 8 * kPage;
// Guard and stack together are an odd number of pages: the tops, which are what fibers touch, then spread
// over all sets of the TLB. With a power of two, 256 fibers would share 64 entries.
constexpr std::size_t kStrideBytes = 33 * kPage;

// Within their page, tops are shifted by cache lines, or all of them would compete for the same few sets of
// L1.
constexpr std::size_t kColours = 32;
constexpr std::size_t kColourStep = 5;  // lines; odd, hence all 32 colours occur
constexpr std::size_t kLine = 64;

}  // namespace

FiberPool::FiberPool(std::size_t count, Context::Main main) : main_(main), fibers_(count) {
  void* region = mmap(nullptr, count * kStrideBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) {
    std::fprintf(stderr,
                 "simt: cannot map %zu MiB for stacks of CUDA threads; raise the address space limit\n",
                 count * kStrideBytes >> 20);
    std::abort();
  }
  region_ = static_cast<unsigned char*>(region);
  for (std::size_t i = count; i-- > 0;) {
    unsigned char* bottom = region_ + i * kStrideBytes;
    if (mprotect(bottom, kGuardBytes, PROT_NONE) != 0) {
      std::perror("simt: cannot protect the guard below a stack (is vm.max_map_count too low?)");
      std::abort();
    }
    fibers_[i].stack_top = bottom + kStrideBytes - kLine * (i * kColourStep % kColours);
    give_back(&fibers_[i]);
  }
}

FiberPool::~FiberPool() {
  munmap(region_, fibers_.size() * kStrideBytes);
}

void FiberPool::prepare(Fiber& fiber) {
  // Frames abandoned on this stack, or on an earlier mapping of the same pages, were never unwound, and
  // AddressSanitizer still has their red zones. Nothing without it.
  ASAN_UNPOISON_MEMORY_REGION(fiber.stack_top - (kStrideBytes - kGuardBytes - kPage),
                              kStrideBytes - kGuardBytes - kPage);
  fiber.context.prepare(fiber.stack_top, kStrideBytes - kGuardBytes - kPage, main_);
  fiber.wait = Wait::nothing;
  fiber.prepared = true;
}

void FiberPool::abandon_all() {
  for (std::size_t i = fibers_.size(); i-- > 0;) {
    if (fibers_[i].parked) continue;
    fibers_[i].prepared = false;
    give_back(&fibers_[i]);
  }
}

bool FiberPool::in_guard(const void* address) const {
  const auto* byte = static_cast<const unsigned char*>(address);
  if (byte < region_ || byte >= region_ + fibers_.size() * kStrideBytes) return false;
  return static_cast<std::size_t>(byte - region_) % kStrideBytes < kGuardBytes;
}

}  // namespace kevolve::simt
