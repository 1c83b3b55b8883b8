#include "core/devices/cpu/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace kevolve::cpu {
namespace {

/// The first value of a field of /proc/cpuinfo.
std::string processor_field(const std::string& field) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(field, 0) != 0) continue;
    const std::size_t value = line.find(": ");
    if (value != std::string::npos) return line.substr(value + 2);
  }
  return "";
}

}  // namespace

std::string processor_model() {
  const std::string model = processor_field("model name");
  return model.empty() ? "unknown processor" : model;
}

std::string processor_identity() {
  return processor_model() + "\n" + processor_field("cpu family") + "." + processor_field("model\t") + "\n" +
         processor_field("flags");
}

std::string machine_architecture() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "unknown";
}

int vector_bits() {
  if (__builtin_cpu_supports("avx512f")) return 512;
  return __builtin_cpu_supports("avx2") ? 256 : 128;
}

std::vector<Cache> data_caches() {
  std::vector<Cache> caches;
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::string type, unit;
    Cache cache;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "level") >> cache.level;
    std::ifstream size(folder + "size");  // "1024K"
    size >> cache.size_bytes >> unit;
    if (type == "Instruction" || cache.size_bytes == 0) continue;
    cache.size_bytes <<= unit == "K" ? 10 : unit == "M" ? 20 : 0;
    caches.push_back(cache);
  }
  return caches;
}

}  // namespace kevolve::cpu
