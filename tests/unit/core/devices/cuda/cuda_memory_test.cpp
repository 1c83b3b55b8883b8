// Poisons, equality, first differences and unwritten elements, against the host's.

#include <limits>
#include <random>

#include "tests/unit/core/devices/cuda/kernels/memories.hpp"

namespace kevolve {
using namespace cuda;
using namespace gates;
namespace {

std::vector<std::byte> random_bytes(std::size_t size_bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size_bytes);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Counts at which a stride, a word of sixteen bytes or a block ends.
constexpr std::size_t kCounts[] = {0, 1, 3, 16, 31, 255, 4096, 4097, 20011};

}  // namespace

TEST_CASE("the device is named as LibTorch names it, and memory fails with words") {
  Memories m;
  CHECK(m.cuda.torch_device() == "cuda:3");
  CHECK(m.host.torch_device() == "cpu");
  CHECK_FALSE(m.cuda.allocate(std::size_t{1} << 50));
#ifndef __SANITIZE_ADDRESS__  // which takes the request for a bug
  CHECK_FALSE(m.host.allocate(std::size_t{1} << 60));
#endif
}

TEST_CASE("memory is released with its last reference, also after its CudaMemory") {
  std::shared_ptr<KernelQueue> queue = make_queue();
  std::shared_ptr<std::byte> kept;
  {
    CudaMemory memory(queue, 0, 1 << 30);
    kept = *memory.allocate(100);
    CHECK(reinterpret_cast<std::uintptr_t>(kept.get()) % 256 == 0);
    queue.reset();
  }
  kept.reset();  // the SIMT queue's destructor finds nothing left
}

TEST_CASE("bytes come back as they were brought") {
  Memories m;
  const auto bytes = random_bytes(1001, 1);
  auto a = *m.cuda.allocate(1001), b = *m.cuda.allocate(1001);
  m.cuda.from_host(a.get(), bytes.data(), 1001);
  m.cuda.copy(b.get(), a.get(), 1001);
  std::vector<std::byte> back(1001);
  m.cuda.to_host(back.data(), b.get(), 1001);
  CHECK(back == bytes);
}

TEST_CASE("any stretch of bytes is poisoned, and nothing beside it") {
  Memories m;
  for (const std::size_t begin : {0, 1, 2, 5, 15}) {
    for (const std::size_t size : {0, 1, 2, 7, 16, 33, 1000}) {
      std::vector<std::byte> expected(1024, std::byte{1});
      const auto memory = m.upload(expected.data(), 1024);
      m.cuda.poison(memory.get() + begin, size, 0xFB);
      m.host.poison(expected.data() + begin, size, 0xFB);
      CHECK(m.download(memory, 1024) == expected);
    }
  }
}

TEST_CASE("a single different byte makes unequal, wherever it is") {
  Memories m;
  for (const std::size_t size : kCounts) {
    const auto bytes = random_bytes(size, 2);
    for (const std::size_t shift : {0, 1}) {  // aligned to sixteen bytes, and not
      const auto a = m.upload(bytes.data(), size, shift), b = m.upload(bytes.data(), size, shift);
      CAPTURE(size, shift);
      REQUIRE(m.cuda.equal(a.get(), b.get(), size));
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        if (size == 0) continue;
        const std::byte other = bytes[at] ^ std::byte{4};
        m.cuda.from_host(b.get() + at, &other, 1);
        REQUIRE_FALSE(m.cuda.equal(a.get(), b.get(), size));
        m.cuda.from_host(b.get() + at, &bytes[at], 1);
      }
    }
  }
}

TEST_CASE("the first difference is the host's, for every type") {
  Memories m;
  std::mt19937 random(3);
  for (const DType dtype : kAllTypes) {
    for (const std::size_t count : kCounts) {
      auto a = random_bytes(count * size_bytes(dtype), 4), b = a;
      const auto view = [&](const auto& bytes) { return Elements{dtype, bytes.data(), count}; };
      CAPTURE(name(dtype), count);
      const Uploaded left(m, view(a));
      REQUIRE(m.cuda.first_difference(left.view, Uploaded(m, view(b)).view) == count);
      for (int change = 0; change < 3 && count > 0; ++change) {
        b[random() % b.size()] ^= std::byte{1};
        REQUIRE(m.cuda.first_difference(left.view, Uploaded(m, view(b)).view) ==
                m.host.first_difference(view(a), view(b)));
      }
    }
  }
}

TEST_CASE("NaN equals any NaN of floating-point types, and no number") {
  Memories m;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    std::vector<std::byte> a(40 * size_bytes(dtype)), b(a.size());
    for (std::size_t i = 0; i < 40; ++i) store(dtype, a.data(), i, 1), store(dtype, b.data(), i, 1);
    store(dtype, a.data(), 17, std::numeric_limits<double>::quiet_NaN());
    const std::size_t step = size_bytes(dtype);
    for (std::size_t k = 0; k < step; ++k) b[17 * step + k] = std::byte{0xFF};  // another NaN
    const Elements left{dtype, a.data(), 40}, right{dtype, b.data(), 40};
    const auto first = [&] {
      return m.cuda.first_difference(Uploaded(m, left).view, Uploaded(m, right).view);
    };
    CAPTURE(name(dtype));
    CHECK(first() == 40);
    CHECK_FALSE(m.cuda.equal(Uploaded(m, left).view.data, Uploaded(m, right).view.data, a.size()));
    store(dtype, b.data(), 17, 2);
    CHECK(first() == 17);
    store(dtype, a.data(), 3, 0.0), store(dtype, b.data(), 3, -0.0);
    CHECK(first() == 3);
  }
}

TEST_CASE("elements unwritten in both are those that hold both poisons") {
  Memories m;
  std::mt19937 random(5);
  for (const DType dtype : kAllTypes) {
    for (const std::size_t count : kCounts) {
      std::vector<std::byte> a(count * size_bytes(dtype)), b(a.size());
      m.host.poison(a.data(), a.size(), 0xFB);
      m.host.poison(b.data(), b.size(), 0x7B);
      for (std::size_t i = 0; i < count; ++i) {
        if (random() % 4 != 0) store(dtype, a.data(), i, 1);
        if (random() % 4 != 0) store(dtype, b.data(), i, 1);
      }
      const Elements left{dtype, a.data(), count}, right{dtype, b.data(), count};
      CAPTURE(name(dtype), count);
      REQUIRE(m.cuda.unwritten_in_both(Uploaded(m, left).view, 0xFB, Uploaded(m, right).view, 0x7B) ==
              m.host.unwritten_in_both(left, 0xFB, right, 0x7B));
    }
  }
}

TEST_CASE("of more unwritten elements than are asked for, the first are given") {
  Memories m;
  std::vector<std::byte> a(70001), b(70001);
  m.host.poison(a.data(), a.size(), 0xFB);
  m.host.poison(b.data(), b.size(), 0x7B);
  a[5] = std::byte{0};
  const Elements left{DType::u8, a.data(), a.size()}, right{DType::u8, b.data(), b.size()};
  const auto found = m.cuda.unwritten_in_both(Uploaded(m, left).view, 0xFB, Uploaded(m, right).view, 0x7B);
  CHECK(found.size() == kMostSampled);
  CHECK(found == m.host.unwritten_in_both(left, 0xFB, right, 0x7B));
}

TEST_CASE("single elements are read for the evidence") {
  Memories m;
  for (const DType dtype : kAllTypes) {
    std::vector<std::byte> bytes(10 * size_bytes(dtype));
    m.host.poison(bytes.data(), bytes.size(), 0x7B);
    store(dtype, bytes.data(), 7, 1);
    const Uploaded uploaded(m, {dtype, bytes.data(), 10});
    const Elements& elements = uploaded.view;
    CHECK(m.cuda.at(elements, 7) == 1);
    CHECK(m.cuda.holds_poison(elements, 6, 0x7B));
    CHECK_FALSE(m.cuda.holds_poison(elements, 7, 0x7B));
  }
}

}  // namespace kevolve
