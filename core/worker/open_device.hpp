#pragma once
// Opens devices by name. No other file knows which kinds of device there are.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/devices/device.hpp"

namespace kevolve::worker {

struct DevicePlaces {
  std::filesystem::path cache_folder;  ///< of compiled candidates
  int threads = 0;                     ///< of the cpu device; 0: all
};

/// "cpu", "cuda:0" (a GPU), or "cuda:sm_90a" (compile only). An unknown name's error lists what there is.
Result<std::unique_ptr<devices::Device>> open_device(const std::string& name, const DevicePlaces& places);

/// Names that a worker offers in its hello, as far as they open.
std::vector<std::string> offered_devices();

}  // namespace kevolve::worker
