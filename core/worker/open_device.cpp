#include "core/worker/open_device.hpp"

#include <fmt/format.h>

#include "core/devices/cpu/cpu_device.hpp"
#include "core/devices/cuda/compile_device.hpp"
#include "core/devices/cuda/cuda_device.hpp"
#include "core/judge/judge.hpp"

namespace kevolve {

Result<std::unique_ptr<Device>> open_device(const std::string& name, const DevicePlaces& places) {
  if (name == kCpuDevice) {
    CpuDeviceSettings settings;
    settings.cache_folder = places.cache_folder / "cpu";
    settings.threads = places.threads;
    settings.torch = torch_version();
    return open_cpu_device(settings);
  }
  if (const auto ordinal = gpu_ordinal(name)) {
    CudaDeviceSettings settings;
    settings.cache_folder = places.cache_folder / "cuda";
    settings.torch = torch_version();
    return open_cuda_device(*ordinal, settings);
  }
  if (const auto architecture = compile_architecture(name)) {
    CudaCompileSettings settings;
    settings.cache_folder = places.cache_folder / "cuda";
    return open_cuda_compile_device(*architecture, settings);
  }
  return failure(fmt::format(
      "device '{}': unknown; expected 'cpu', a GPU such as 'cuda:0', or 'cuda:sm_XX' to compile for a "
      "GPU without one, such as 'cuda:sm_90a'",
      name));
}

std::vector<std::string> offered_devices() {
  std::vector<std::string> names{std::string(kCpuDevice)};
  for (int ordinal = 0; ordinal < gpu_count(); ++ordinal) names.push_back(fmt::format("cuda:{}", ordinal));
  names.emplace_back("cuda:sm_90a");
  return names;
}

}  // namespace kevolve
