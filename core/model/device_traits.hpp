#pragma once
// DeviceTraits: how the kinds of device differ, as far as a search, its prompts and its messages depend on
// it. A worker tells the traits of its devices in its hello (docs/worker_protocol.md). Plain data.

#include <string>
#include <string_view>

#include "core/text/json.hpp"

namespace kevolve {

/// The device that every machine has: the processors of the host.
inline constexpr std::string_view kCpuDevice = "cpu";

struct DeviceTraits {
  std::string yardstick = "eager";  ///< the subject that speed-ups are against: "naive" or "eager"
  int requests_ahead = 32;          ///< requests to keep queued, for each candidate that it judges at once
  bool shows_races = false;         ///< it chooses the order of threads, so a race shows
  bool has_counters = true;         ///< it has hardware counters, even where they may not be read
  bool on_host = false;    ///< blocks run on the host's processors, as LibTorch does; no GPU instructions
  std::string guide = {};  ///< the prompt about this device is "device_<guide>"
};

/// What the two kinds of device tell; another kind tells its own.
DeviceTraits cpu_traits();
DeviceTraits gpu_traits(const std::string& architecture);
/// The traits of a device whose worker did not tell any: an older worker, or a row of an archive.
DeviceTraits traits_by_name(std::string_view name, const std::string& architecture);

Json to_json(const DeviceTraits& traits);
Result<DeviceTraits> traits_from_json(const Json& json, const std::string& where);

}  // namespace kevolve
