#pragma once
// KernelLibrary: kernels compiled by kevolve_simt_kernels(), loaded and launched as the runner does it.

#include <dlfcn.h>

#include <array>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "core/devices/cpu/simt/executor.hpp"

namespace kevolve::simt {

template <class T>
Argument argument(const T& value) {
  ParameterKind kind = ParameterKind::other;
  if (std::is_pointer_v<T>) kind = ParameterKind::pointer;
  if (std::is_integral_v<T>) kind = ParameterKind::integer;
  if (std::is_floating_point_v<T>) kind = ParameterKind::floating;
  return {&value, sizeof(T), kind};
}

/// A launch along x only.
inline LaunchConfig linear(std::int64_t blocks, std::int64_t threads, std::int64_t dynamic_shared_bytes = 0) {
  LaunchConfig config;
  config.grid = {blocks, 1, 1};
  config.block = {threads, 1, 1};
  config.dynamic_shared_bytes = dynamic_shared_bytes;
  return config;
}

class KernelLibrary {
 public:
  explicit KernelLibrary(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  ~KernelLibrary() { dlclose(handle_); }
  KernelLibrary(const KernelLibrary&) = delete;
  KernelLibrary& operator=(const KernelLibrary&) = delete;

  [[nodiscard]] const void* entry(const std::string& name) const {
    const void* found = dlsym(handle_, ("kevolve_entry_" + name).c_str());
    if (found == nullptr) throw std::runtime_error("no kevolve_entry_" + name);
    return found;
  }

  template <class... T>
  LaunchStatus launch(Executor& executor, const std::string& name, LaunchConfig config,
                      const T&... values) const {
    const std::array<Argument, sizeof...(T)> arguments{argument(values)...};
    config.arguments = arguments;
    return executor.launch(entry(name), config);
  }

 private:
  void* handle_;
};

}  // namespace kevolve::simt
