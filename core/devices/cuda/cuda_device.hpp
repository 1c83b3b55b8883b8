#pragma once
// The cuda device, "cuda:0": compiles with NVRTC (compile_device.hpp) and runs on a real GPU. The judge's
// context lives in this process, each candidate's in a kevolve-cuda-runner of its own; one or two of these
// stand by with their context made, so that a candidate does not wait for it.
//
// compile() is thread-safe, the rest belongs to the thread that opened the device.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/devices/device.hpp"

namespace kevolve::cuda {

struct CudaDeviceSettings {
  std::filesystem::path programs;  ///< folder of kevolve-nvrtc and kevolve-cuda-runner; empty: this program's
  std::filesystem::path cache_folder;  ///< for cubins; created when needed
  std::string torch;                   ///< version, for the device's key
};

/// 0 of "cuda:0"; nullopt when the name is no GPU.
std::optional<int> gpu_ordinal(std::string_view device_name);

/// GPUs that the driver sees; 0 without a driver.
int gpu_count();
/// What CUDA_VISIBLE_DEVICES may name them by, in the driver's order; an error when there is none.
Result<std::vector<std::string>> gpu_uuids();

/// The error says what is missing: driver, GPU, NVRTC, sandbox, runner.
Result<std::unique_ptr<devices::Device>> open_cuda_device(int ordinal, const CudaDeviceSettings& settings);

}  // namespace kevolve::cuda
