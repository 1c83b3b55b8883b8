#include "core/worker/open_device.hpp"

#include <fmt/format.h>

#include "core/devices/cpu/cpu_device.hpp"
#include "core/devices/cuda/compile_device.hpp"
#include "core/devices/cuda/cuda_device.hpp"
#include "core/judge/judge.hpp"

namespace kevolve::worker {

Result<std::unique_ptr<devices::Device>> open_device(const std::string& name, const DevicePlaces& places) {
  if (name == kCpuDevice) {
    cpu::CpuDeviceSettings settings;
    settings.cache_folder = places.cache_folder / "cpu";
    settings.threads = places.threads;
    settings.torch = judge::torch_version();
    return cpu::open_cpu_device(settings);
  }
  if (const auto ordinal = cuda::gpu_ordinal(name)) {
    cuda::CudaDeviceSettings settings;
    settings.cache_folder = places.cache_folder / "cuda";
    settings.torch = judge::torch_version();
    return cuda::open_cuda_device(*ordinal, settings);
  }
  if (const auto architecture = cuda::compile_architecture(name)) {
    cuda::CudaCompileSettings settings;
    settings.cache_folder = places.cache_folder / "cuda";
    return cuda::open_cuda_compile_device(*architecture, settings);
  }
  return failure(fmt::format(
      "device '{}': unknown; expected 'cpu', a GPU such as 'cuda:0', or 'cuda:sm_XX' to compile for a "
      "GPU without one, such as 'cuda:sm_90a'",
      name));
}

std::vector<std::string> offered_devices() {
  std::vector<std::string> names{std::string(kCpuDevice)};
  for (int ordinal = 0; ordinal < cuda::gpu_count(); ++ordinal)
    names.push_back(fmt::format("cuda:{}", ordinal));
  names.emplace_back("cuda:sm_90a");
  return names;
}

}  // namespace kevolve::worker
