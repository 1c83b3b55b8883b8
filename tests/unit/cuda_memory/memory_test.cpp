// Poisons, equality, first differences and unwritten elements, against the host's.

#include <limits>
#include <random>

#include "tests/unit/cuda_memory/simt_launcher.hpp"

namespace kevolve {
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
  CHECK_FALSE(m.host.allocate(std::size_t{1} << 60));
}

TEST_CASE("memory is released with its last reference, also after its CudaMemory") {
  auto launcher = std::make_shared<SimtLauncher>();
  std::shared_ptr<std::byte> kept;
  {
    CudaMemory memory(launcher, 0, 1 << 30);
    kept = *memory.allocate(100);
    CHECK(reinterpret_cast<std::uintptr_t>(kept.get()) % 256 == 0);
    launcher.reset();
  }
  kept.reset();  // SimtLauncher's destructor finds nothing left
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
      std::vector<std::byte> a(1024, std::byte{1}), b = a;
      m.cuda.poison(a.data() + begin, size, 0xFB);
      m.host.poison(b.data() + begin, size, 0xFB);
      CHECK(a == b);
    }
  }
}

TEST_CASE("a single different byte makes unequal, wherever it is") {
  Memories m;
  for (const std::size_t size : kCounts) {
    auto a = random_bytes(size + 32, 2), b = a;
    for (const std::size_t shift : {0, 1}) {  // aligned to sixteen bytes, and not
      const std::byte *left = a.data() + shift, *right = b.data() + shift;
      CAPTURE(size, shift);
      REQUIRE(m.cuda.equal(left, right, size));
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        if (size == 0) continue;
        b[at + shift] ^= std::byte{4};
        REQUIRE_FALSE(m.cuda.equal(left, right, size));
        b[at + shift] ^= std::byte{4};
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
      REQUIRE(m.cuda.first_difference(view(a), view(b)) == count);
      for (int change = 0; change < 3 && count > 0; ++change) {
        b[random() % b.size()] ^= std::byte{1};
        REQUIRE(m.cuda.first_difference(view(a), view(b)) == m.host.first_difference(view(a), view(b)));
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
    CAPTURE(name(dtype));
    CHECK(m.cuda.first_difference(left, right) == 40);
    CHECK_FALSE(m.cuda.equal(a.data(), b.data(), a.size()));
    store(dtype, b.data(), 17, 2);
    CHECK(m.cuda.first_difference(left, right) == 17);
    store(dtype, a.data(), 3, 0.0), store(dtype, b.data(), 3, -0.0);
    CHECK(m.cuda.first_difference(left, right) == 3);
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
      REQUIRE(m.cuda.unwritten_in_both(left, 0xFB, right, 0x7B) ==
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
  const auto found = m.cuda.unwritten_in_both(left, 0xFB, right, 0x7B);
  CHECK(found.size() == kMostSampled);
  CHECK(found == m.host.unwritten_in_both(left, 0xFB, right, 0x7B));
}

TEST_CASE("single elements are read for the evidence") {
  Memories m;
  for (const DType dtype : kAllTypes) {
    std::vector<std::byte> bytes(10 * size_bytes(dtype));
    m.host.poison(bytes.data(), bytes.size(), 0x7B);
    store(dtype, bytes.data(), 7, 1);
    const Elements elements{dtype, bytes.data(), 10};
    CHECK(m.cuda.at(elements, 7) == 1);
    CHECK(m.cuda.holds_poison(elements, 6, 0x7B));
    CHECK_FALSE(m.cuda.holds_poison(elements, 7, 0x7B));
  }
}

}  // namespace kevolve
