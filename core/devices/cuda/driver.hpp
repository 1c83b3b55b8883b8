#pragma once
// Driver: the CUDA driver's functions, found at run time. Nothing links libcuda, so that every program starts
// on a machine without a GPU and can say so. One API in judge and runner: the driver's own; LibTorch's
// runtime shares its primary context.
//
// Loaded once, never unloaded; immutable, thread-safe.

#include <cuda.h>

#include <string>
#include <string_view>

#include "core/text/result.hpp"

namespace kevolve::cuda {

#define KEVOLVE_CUDA_FUNCTIONS(use)                                                                          \
  use(cuInit) use(cuDriverGetVersion) use(cuGetErrorName) use(cuGetErrorString) use(cuDeviceGetCount) use(   \
      cuDeviceGet) use(cuDeviceGetName) use(cuDeviceGetAttribute) use(cuDeviceTotalMem) use(cuDeviceGetUuid) \
      use(cuDevicePrimaryCtxRetain) use(cuCtxSetCurrent) use(cuCtxSynchronize) use(cuMemGetInfo)             \
          use(cuMemAlloc) use(cuMemFree) use(cuMemcpyDtoD) use(cuMemcpyHtoD) use(cuMemcpyDtoH)               \
              use(cuMemcpyDtoDAsync) use(cuMemsetD8) use(cuMemsetD8Async) use(cuMemsetD32Async) use(         \
                  cuMemsetD16Async) use(cuMemsetD2D32Async) use(cuMemAddressReserve) use(cuMemAddressFree)   \
                  use(cuMemCreate) use(cuMemRelease) use(cuMemMap) use(cuMemUnmap) use(cuMemSetAccess)       \
                      use(cuMemGetAllocationGranularity) use(cuMemExportToShareableHandle)                   \
                          use(cuMemImportFromShareableHandle) use(cuLibraryLoadData) use(cuLibraryUnload)    \
                              use(cuLibraryGetKernel) use(cuLibraryGetGlobal) use(cuKernelGetFunction)       \
                                  use(cuFuncSetAttribute) use(cuFuncGetAttribute) use(cuFuncGetParamInfo)    \
                                      use(cuLaunchKernelEx) use(cuTensorMapEncodeTiled)                      \
                                          use(cuOccupancyMaxActiveBlocksPerMultiprocessor)                   \
                                              use(cuOccupancyMaxActiveClusters) use(cuStreamCreate)          \
                                                  use(cuStreamSynchronize) use(cuEventCreate)                \
                                                      use(cuEventRecord) use(cuEventSynchronize)             \
                                                          use(cuEventElapsedTime) use(cuEventQuery)

struct Driver {
#define KEVOLVE_MEMBER(function) decltype(&::function) function##_ = nullptr;
  KEVOLVE_CUDA_FUNCTIONS(KEVOLVE_MEMBER)
#undef KEVOLVE_MEMBER

  /// The error says what is missing: the driver, a GPU, or a new enough driver.
  static const Result<Driver>& load();

  /// "GPU-1b2c…" of a GPU, and the GPU of that name among those that this process sees: processes may see
  /// others or number them differently.
  [[nodiscard]] std::string uuid(CUdevice gpu) const;
  [[nodiscard]] Result<CUdevice> find(std::string_view uuid) const;

  /// "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)"
  [[nodiscard]] std::string words(CUresult result) const;
  /// `what`: the doing that failed, such as "allocating 4096 bytes".
  [[nodiscard]] Result<void> check(CUresult result, std::string_view what) const;
};

}  // namespace kevolve::cuda
