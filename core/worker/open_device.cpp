#include "core/worker/open_device.hpp"

#include <fmt/format.h>

#include "core/devices/cpu/cpu_device.hpp"
#include "core/devices/cuda/compile_device.hpp"
#include "core/judge/judge.hpp"

namespace kevolve {

Result<std::unique_ptr<Device>> open_device(const std::string& name, const DevicePlaces& places) {
  if (name == "cpu") {
    CpuDeviceSettings settings;
    settings.cache_folder = places.cache_folder / "cpu";
    settings.threads = places.threads;
    settings.torch = torch_version();
    return open_cpu_device(settings);
  }
  if (const auto architecture = compile_architecture(name)) {
    CudaCompileSettings settings;
    settings.cache_folder = places.cache_folder / "cuda";
    return open_cuda_compile_device(*architecture, settings);
  }
  return failure(
      fmt::format("device '{}': unknown; expected 'cpu', or 'cuda:sm_XX' to compile for a GPU without one, "
                  "such as 'cuda:sm_90a'",
                  name));
}

std::vector<std::string> offered_devices() {
  return {"cpu", "cuda:sm_90a"};
}

}  // namespace kevolve
