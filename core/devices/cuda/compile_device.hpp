#pragma once
// The compile-only cuda device, "cuda:sm_90a": NVRTC without a GPU, so that every kernel's CUDA is checked on
// any machine, up to the gate `inspect`. The device's owner keeps it alive while it compiles; compile() is
// thread-safe and each call is one sandboxed process `kevolve-nvrtc`.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/devices/device.hpp"

namespace kevolve::cuda {

struct CudaCompileSettings {
  std::filesystem::path programs;      ///< folder of kevolve-nvrtc; empty: that of the running program
  std::filesystem::path cache_folder;  ///< for cubins by content address; created when needed
  std::size_t memory_bytes = std::size_t{6} << 30;  ///< address space of one compilation
  std::int64_t num_sms = 0;  ///< what plans see; 0: that of the architecture's best-known GPU
};

/// "sm_90a" of "cuda:sm_90a"; nullopt when the name is no compile-only cuda device.
std::optional<std::string> compile_architecture(std::string_view device_name);

/// Fails where there is no NVRTC, no sandbox, or NVRTC does not know the architecture ("sm_90a", "sm_80", …);
/// the error says what to install or which architectures there are.
Result<std::unique_ptr<devices::Device>> open_cuda_compile_device(const std::string& architecture,
                                                                  const CudaCompileSettings& settings);

}  // namespace kevolve::cuda
