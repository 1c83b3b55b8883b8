#pragma once
// The bits of a buffer's initial fill. Pure.

#include <cstdint>

#include "core/model/candidate.hpp"

namespace kevolve::cuda::runner {

struct FillPattern {
  int width_bytes = 4;
  std::uint32_t low = 0, high = 0;  ///< high: of 8-byte types
};

/// `fill` is not Fill::none. Integers take their least or largest value for an infinity.
FillPattern fill_pattern(DType dtype, Fill fill);

}  // namespace kevolve::cuda::runner
