#include "core/devices/cuda/runner/tensor_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

namespace kevolve::cuda::runner {
namespace {

std::optional<CUtensorMapDataType> data_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
    case DType::f64:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT64;
    case DType::f16:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    case DType::bf16:
      return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    case DType::i32:
      return CU_TENSOR_MAP_DATA_TYPE_INT32;
    case DType::i64:
      return CU_TENSOR_MAP_DATA_TYPE_INT64;
    case DType::u8:
    case DType::boolean:
      return CU_TENSOR_MAP_DATA_TYPE_UINT8;
  }
  return std::nullopt;
}

CUtensorMapSwizzle swizzle_of(const std::string& name) {
  if (name == "32B") return CU_TENSOR_MAP_SWIZZLE_32B;
  if (name == "64B") return CU_TENSOR_MAP_SWIZZLE_64B;
  if (name == "128B") return CU_TENSOR_MAP_SWIZZLE_128B;
  return CU_TENSOR_MAP_SWIZZLE_NONE;
}

CUtensorMapL2promotion promotion_of(const std::string& name) {
  if (name == "64B") return CU_TENSOR_MAP_L2_PROMOTION_L2_64B;
  if (name == "128B") return CU_TENSOR_MAP_L2_PROMOTION_L2_128B;
  if (name == "256B") return CU_TENSOR_MAP_L2_PROMOTION_L2_256B;
  return CU_TENSOR_MAP_L2_PROMOTION_NONE;
}

}  // namespace

Result<CUtensorMap> encode(const Driver& driver, const PlannedTensorMap& map, CUdeviceptr address) {
  const auto type = data_type(map.dtype);
  if (!type) return failure("a tensor map cannot hold this type");
  const std::vector<cuuint64_t> dims(map.dims.begin(), map.dims.end());
  const std::vector<cuuint64_t> strides(map.strides_bytes.begin(), map.strides_bytes.end());
  const std::vector<cuuint32_t> box(map.box.begin(), map.box.end());
  const std::vector<cuuint32_t> element_strides(map.dims.size(), 1);
  CUtensorMap encoded{};
  const CUresult result = driver.cuTensorMapEncodeTiled_(
      &encoded, *type, static_cast<cuuint32_t>(dims.size()), reinterpret_cast<void*>(address), dims.data(),
      strides.data(), box.data(), element_strides.data(), CU_TENSOR_MAP_INTERLEAVE_NONE,
      swizzle_of(map.swizzle), promotion_of(map.l2_promotion),
      map.out_of_bounds == "nan" ? CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA
                                 : CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result == CUDA_SUCCESS) return encoded;
  return failure(
      fmt::format("the driver refuses the tensor map (dims [{}], strides_bytes [{}], box [{}], swizzle {}): "
                  "{}. Strides must "
                  "be multiples of 16, boxes at most 256 elements a side and, swizzled, at most the "
                  "swizzle's width in bytes "
                  "along the innermost dimension",
                  fmt::join(dims, ", "), fmt::join(strides, ", "), fmt::join(box, ", "),
                  map.swizzle.empty() ? "none" : map.swizzle, driver.words(result)));
}

}  // namespace kevolve::cuda::runner
