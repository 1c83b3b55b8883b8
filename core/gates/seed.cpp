#include "core/gates/seed.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdlib>

namespace kevolve::gates {

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
  const RandomWords words = randomness_.block(index);
  return {words.word[0], words.word[1], words.word[2], words.word[3]};
}

}  // namespace kevolve::gates
