#include "core/devices/cpu/shared_buffer.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
using namespace devices;
namespace {

std::shared_ptr<CpuSharedBuffer> make(std::size_t size, Placement placement, std::size_t alignment = 16) {
  auto buffer = CpuSharedBuffer::create(size, placement, alignment);
  REQUIRE(buffer);
  return *buffer;
}

TEST_CASE("data lies flush right or flush left in whole pages, aligned as promised") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{4}, std::size_t{4095}, std::size_t{4096}, std::size_t{70'000}}) {
    const auto right = make(size, Placement::flush_right), left = make(size, Placement::flush_left);
    CHECK(left->data_offset() == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(right->data()) % 16 == 0);
    CHECK(right->mapping_bytes() - right->data_offset() - size < 16);
    CHECK(right->mapping_bytes() % 4096 == 0);
    CHECK(right->mapping_bytes() >= size);
  }
  const auto aligned = make(1000, Placement::flush_right, 256);
  CHECK(reinterpret_cast<std::uintptr_t>(aligned->data()) % 256 == 0);
  CHECK(aligned->data_offset() == 4096 - 1024);
}

TEST_CASE("a change of any byte beside the data is noticed, and of the data is not") {
  for (const Placement placement : {Placement::flush_right, Placement::flush_left}) {
    const auto buffer = make(1001, placement);
    auto* begin = reinterpret_cast<unsigned char*>(buffer->data()) - buffer->data_offset();
    std::memset(buffer->data(), 0x77, buffer->size_bytes());
    CHECK(buffer->canaries_intact());
    for (std::size_t i = 0; i < buffer->mapping_bytes(); i += 1) {
      if (i >= buffer->data_offset() && i < buffer->data_offset() + 1001) continue;
      begin[i] ^= 1;
      if (buffer->canaries_intact()) FAIL("the change of byte " << i << " went unnoticed");
      begin[i] ^= 1;
    }
    CHECK(buffer->canaries_intact());
  }
}

TEST_CASE("the read-only descriptor cannot be mapped for writing, and no descriptor can be resized") {
  const auto buffer = make(100, Placement::flush_left);
  CHECK(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, buffer->descriptor(false), 0) ==
        MAP_FAILED);
  void* mapping = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, buffer->descriptor(false), 0);
  REQUIRE(mapping != MAP_FAILED);
  CHECK(::mprotect(mapping, 4096, PROT_READ | PROT_WRITE) != 0);
  std::memcpy(buffer->data(), "text", 5);
  CHECK(std::strcmp(static_cast<const char*>(mapping), "text") == 0);
  ::munmap(mapping, 4096);
  CHECK(::ftruncate(buffer->descriptor(true), 0) != 0);
  CHECK(::ftruncate(buffer->descriptor(true), 1 << 20) != 0);
}

TEST_CASE("impossible buffers are refused with the reason") {
  CHECK_FALSE(CpuSharedBuffer::create(16, Placement::flush_left, 24));
  CHECK_FALSE(CpuSharedBuffer::create(16, Placement::flush_left, 8192));
  const auto huge = CpuSharedBuffer::create(~std::size_t{0}, Placement::flush_left, 16);
  REQUIRE_FALSE(huge);
  CHECK(huge.error().message.find("too large") != std::string::npos);
}

}  // namespace
}  // namespace kevolve
