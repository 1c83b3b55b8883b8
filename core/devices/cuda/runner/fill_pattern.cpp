#include "core/devices/cuda/runner/fill_pattern.hpp"

namespace kevolve::cuda::runner {

FillPattern fill_pattern(DType dtype, Fill fill) {
  const int width = static_cast<int>(size_bytes(dtype));
  if (fill == Fill::zero || fill == Fill::none) return {width, 0, 0};
  const bool low = fill == Fill::minus_infinity;
  switch (dtype) {
    case DType::f32:
      return {width, low ? 0xff800000u : 0x7f800000u, 0};
    case DType::f64:
      return {width, 0, low ? 0xfff00000u : 0x7ff00000u};
    case DType::f16:
      return {width, low ? 0xfc00u : 0x7c00u, 0};
    case DType::bf16:
      return {width, low ? 0xff80u : 0x7f80u, 0};
    case DType::i32:
      return {width, low ? 0x80000000u : 0x7fffffffu, 0};
    case DType::i64:
      return {width, low ? 0u : 0xffffffffu, low ? 0x80000000u : 0x7fffffffu};
    case DType::u8:
      return {width, low ? 0u : 0xffu, 0};
    case DType::boolean:
      return {width, low ? 0u : 1u, 0};
  }
  return {width, 0, 0};
}

}  // namespace kevolve::cuda::runner
