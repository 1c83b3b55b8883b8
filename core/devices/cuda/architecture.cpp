#include "core/devices/cuda/architecture.hpp"

#include <charconv>

namespace kevolve::cuda {

std::optional<int> compute_capability(std::string_view architecture) {
  constexpr std::string_view kPrefix = "sm_";
  if (architecture.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  architecture.remove_prefix(kPrefix.size());
  if (!architecture.empty() && (architecture.back() == 'a' || architecture.back() == 'f'))
    architecture.remove_suffix(1);
  if (architecture.size() < 2 || architecture.size() > 3) return std::nullopt;
  int value = 0;
  const char* end = architecture.data() + architecture.size();
  const auto parsed = std::from_chars(architecture.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 10) return std::nullopt;
  return value;
}

// Largest dynamic shared memory of a block: CUDA C++ Programming Guide, "Technical Specifications per Compute
// Capability". SM counts: NVIDIA's data sheets of T4, A100, A40, L40S, H100 SXM, B200 and RTX PRO 6000.
DeviceLimits limits_of(int capability) {
  constexpr std::int64_t kKiB = 1024;
  switch (capability) {
    case 75:
      return {40, 1024, 64 * kKiB};
    case 80:
      return {108, 1024, 163 * kKiB};
    case 86:
      return {84, 1024, 99 * kKiB};
    case 87:
      return {16, 1024, 163 * kKiB};
    case 89:
      return {142, 1024, 99 * kKiB};
    case 90:
      return {132, 1024, 227 * kKiB};
    case 100:
    case 103:
      return {148, 1024, 227 * kKiB};
    case 120:
      return {188, 1024, 99 * kKiB};
    default:
      return {100, 1024, 99 * kKiB};  // unknown: what every one since sm_80 can do
  }
}

}  // namespace kevolve::cuda
