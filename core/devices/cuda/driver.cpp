#include "core/devices/cuda/driver.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace kevolve::cuda {
namespace {

// cuda.h renames functions to their newest version (cuMemAlloc is cuMemAlloc_v2): the name after expansion.
#define KEVOLVE_TEXT(name) #name
#define KEVOLVE_SYMBOL(name) KEVOLVE_TEXT(name)

Result<Driver> load_driver() {
  void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr)
    return failure(
        "no NVIDIA driver: libcuda.so.1 cannot be loaded. Install the driver, or in a container pass "
        "the GPU in (docker run --gpus all)");
  Driver driver;
#define KEVOLVE_FIND(function)                                                                    \
  driver.function##_ =                                                                            \
      reinterpret_cast<decltype(driver.function##_)>(::dlsym(library, KEVOLVE_SYMBOL(function))); \
  if (driver.function##_ == nullptr)                                                              \
    return failure("the NVIDIA driver is too old: it has no " KEVOLVE_SYMBOL(                     \
        function) "; install one for CUDA 12.4 or newer");
  KEVOLVE_CUDA_FUNCTIONS(KEVOLVE_FIND)
#undef KEVOLVE_FIND
  if (auto begun = driver.check(driver.cuInit_(0), "starting the NVIDIA driver"); !begun)
    return failure(begun.error());
  int count = 0;
  if (auto counted = driver.check(driver.cuDeviceGetCount_(&count), "counting GPUs"); !counted)
    return failure(counted.error());
  if (count == 0) return failure("the NVIDIA driver sees no GPU");
  return driver;
}

}  // namespace

const Result<Driver>& Driver::load() {
  static const Result<Driver> driver = load_driver();
  return driver;
}

std::string Driver::uuid(CUdevice gpu) const {
  CUuuid id{};
  if (cuDeviceGetUuid_(&id, gpu) != CUDA_SUCCESS) return {};
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof id.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(id.bytes[i]));
  }
  return text;
}

Result<CUdevice> Driver::find(std::string_view wanted) const {
  int count = 0;
  if (auto counted = check(cuDeviceGetCount_(&count), "counting GPUs"); !counted)
    return failure(counted.error());
  std::string seen;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CUdevice gpu = 0;
    if (cuDeviceGet_(&gpu, ordinal) != CUDA_SUCCESS) continue;
    const std::string name = uuid(gpu);
    if (name == wanted) return gpu;
    seen += (seen.empty() ? "" : ", ") + name;
  }
  return failure(fmt::format("there is no GPU {} here; this process sees: {}", wanted, seen));
}

std::string Driver::words(CUresult result) const {
  const char *name = nullptr, *meaning = nullptr;
  cuGetErrorName_(result, &name);
  cuGetErrorString_(result, &meaning);
  if (name == nullptr) return fmt::format("CUDA error {}", static_cast<int>(result));
  return fmt::format("{} ({})", name, meaning == nullptr ? "no description" : meaning);
}

Result<void> Driver::check(CUresult result, std::string_view what) const {
  if (result == CUDA_SUCCESS) return {};
  return failure(fmt::format("{}: {}", what, words(result)));
}

}  // namespace kevolve::cuda
