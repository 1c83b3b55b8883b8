#include "core/judge/seed.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdlib>

namespace kevolve {

Seed Seed::fresh() {
  Seed seed;
  if (::getrandom(seed.bits.data(), sizeof seed.bits, 0) != static_cast<ssize_t>(sizeof seed.bits))
    std::abort();
  return seed;
}

std::string Seed::hex() const {
  return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

std::array<std::uint32_t, 4> RandomStream::block(std::uint64_t index) const {
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
  const std::uint64_t upper = stream_ ^ seed_.bits[1];
  std::array<std::uint32_t, 4> x{low(index), high(index), low(upper), high(upper)};
  std::uint32_t key0 = low(seed_.bits[0]), key1 = high(seed_.bits[0]);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * x[0], b = std::uint64_t{0xCD9E8D57} * x[2];
    x = {high(b) ^ x[1] ^ key0, low(b), high(a) ^ x[3] ^ key1, low(a)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return x;
}

std::uint64_t RandomStream::pick(std::uint64_t index, std::uint64_t below) const {
  const auto words = block(index);
  return (static_cast<std::uint64_t>(words[0]) << 32 | words[1]) % below;
}

}  // namespace kevolve
