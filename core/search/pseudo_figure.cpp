#include "core/search/pseudo_figure.hpp"

#include <fmt/format.h>

#include "core/search/random.hpp"

namespace kevolve::search {

double pseudo_figure(std::uint64_t seed, std::string_view candidate_hash) {
  // 53 bits: exact in a double, hence the same everywhere.
  const std::uint64_t bits = derive_seed(seed, fmt::format("figure {}", candidate_hash)) >> 11;
  return 0.5 + 3.5 * (static_cast<double>(bits) / 9007199254740992.0);
}

}  // namespace kevolve::search
