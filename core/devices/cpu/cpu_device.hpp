#pragma once
// CpuDevice: candidates' CUDA source, compiled by g++ against the SIMT header and run by kevolve-runner on
// x86-64 Linux. The default device where there is no GPU. Its times are CPU times and carry its name.
//
// The compiler and the runner are sandboxed children (core/process). Ownership and thread safety as in
// device.hpp; a Runner must be used, and outlived, by the thread that started it.

#include <filesystem>
#include <memory>
#include <string>

#include "core/devices/device.hpp"

namespace kevolve::cpu {

struct CpuDeviceSettings {
  std::filesystem::path cache_folder;  ///< created when missing; may be shared by several processes
  int threads = 0;                     ///< threads that execute blocks; 0: all of this machine's
  std::string torch;                   ///< LibTorch's version, for DeviceInfo
  std::string compiler = "g++";
  std::filesystem::path runner;   ///< default: kevolve-runner beside the running program
  bool measure = true;            ///< memory and vector units, when it is opened: about 0.1 s
  std::filesystem::path headers;  ///< root of the SIMT header's include path; default: the source tree
};

/// Fails when the compiler or the runner is missing, no sandbox can be made or the cache folder is not
/// writable.
Result<std::unique_ptr<devices::Device>> open_cpu_device(const CpuDeviceSettings& settings);

}  // namespace kevolve::cpu
