#include "core/devices/cpu/runner/fill.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace kevolve::cpu::runner {
namespace {

template <class T>
void fill_with(void* data, std::int64_t elements, T low, T high, Fill fill) {
  std::fill_n(static_cast<T*>(data), elements, fill == Fill::minus_infinity ? low : high);
}

template <class T>
void fill_limits(void* data, const PlannedBuffer& planned) {
  using Limits = std::numeric_limits<T>;
  if constexpr (Limits::has_infinity) {
    fill_with<T>(data, planned.elements, -Limits::infinity(), Limits::infinity(), planned.fill);
  } else {
    fill_with<T>(data, planned.elements, Limits::min(), Limits::max(), planned.fill);
  }
}

}  // namespace

void fill(void* data, const PlannedBuffer& planned) {
  if (planned.fill == Fill::none) return;
  if (planned.fill == Fill::zero) {
    std::memset(data, 0, static_cast<std::size_t>(planned.size_bytes()));
    return;
  }
  switch (planned.dtype) {
    case DType::f32:
      return fill_limits<float>(data, planned);
    case DType::f64:
      return fill_limits<double>(data, planned);
    case DType::f16:
      return fill_with<std::uint16_t>(data, planned.elements, 0xfc00, 0x7c00, planned.fill);
    case DType::bf16:
      return fill_with<std::uint16_t>(data, planned.elements, 0xff80, 0x7f80, planned.fill);
    case DType::i32:
      return fill_limits<std::int32_t>(data, planned);
    case DType::i64:
      return fill_limits<std::int64_t>(data, planned);
    case DType::u8:
      return fill_limits<std::uint8_t>(data, planned);
    case DType::boolean:
      return fill_with<std::uint8_t>(data, planned.elements, 0, 1, planned.fill);
  }
}

}  // namespace kevolve::cpu::runner
