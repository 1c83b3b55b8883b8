#include "core/model/device_traits.hpp"

#include "core/model/subjects.hpp"
#include "core/text/field_reader.hpp"

namespace kevolve {
namespace {

constexpr int kMostRequestsAhead = 256;

}  // namespace

DeviceTraits cpu_traits() {
  DeviceTraits traits;
  traits.yardstick = subjects::kNaive;
  traits.requests_ahead = 4;  // nothing is compiled while something is timed
  traits.shows_races = true;
  traits.has_counters = false;
  traits.on_host = true;
  traits.guide = kCpuDevice;
  return traits;
}

DeviceTraits gpu_traits(const std::string& architecture) {
  DeviceTraits traits;
  traits.guide = architecture;
  return traits;
}

DeviceTraits traits_by_name(std::string_view name, const std::string& architecture) {
  return name == kCpuDevice ? cpu_traits() : gpu_traits(architecture);
}

Json to_json(const DeviceTraits& traits) {
  return {{"yardstick", traits.yardstick},     {"requests_ahead", traits.requests_ahead},
          {"shows_races", traits.shows_races}, {"has_counters", traits.has_counters},
          {"on_host", traits.on_host},         {"guide", traits.guide}};
}

Result<DeviceTraits> traits_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  DeviceTraits traits;
  fields.read("yardstick", traits.yardstick);
  if (!fields.failed() && traits.yardstick != subjects::kNaive && traits.yardstick != subjects::kEager)
    fields.mismatch("yardstick", json["yardstick"], "\"naive\" or \"eager\"");
  fields.read("requests_ahead", traits.requests_ahead);
  if (!fields.failed() && (traits.requests_ahead < 1 || traits.requests_ahead > kMostRequestsAhead))
    fields.mismatch("requests_ahead", json["requests_ahead"], "a number from 1 to 256");
  fields.read("shows_races", traits.shows_races);
  fields.read("has_counters", traits.has_counters);
  fields.read("on_host", traits.on_host);
  fields.read("guide", traits.guide);
  return fields.finish(std::move(traits));
}

}  // namespace kevolve
