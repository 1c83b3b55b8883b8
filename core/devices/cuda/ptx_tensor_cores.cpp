#include "core/devices/cuda/ptx_tensor_cores.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kevolve::cuda {
namespace {

/// The narrowest first: an instruction counts under the first of these that it names.
constexpr std::array<std::string_view, 16> kTypes = {"b1",   "e2m1", "s4",     "u4", "e2m3", "e3m2",
                                                     "e4m3", "e5m2", "f8f6f4", "s8", "u8",   "i8",
                                                     "bf16", "f16",  "tf32",   "f64"};
constexpr std::array<std::string_view, 4> kInstructions = {"mma.sync", "wmma.mma", "wgmma.mma_async",
                                                           "tcgen05.mma"};

bool in_mnemonic(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == ':';
}

bool multiplies(std::string_view mnemonic) {
  return std::any_of(kInstructions.begin(), kInstructions.end(), [&](std::string_view instruction) {
    return mnemonic.starts_with(instruction) &&
           (mnemonic.size() == instruction.size() || mnemonic[instruction.size()] == '.');
  });
}

/// Whether a part of the mnemonic between dots or colons is `type`.
bool names(std::string_view mnemonic, std::string_view type) {
  for (std::size_t at = mnemonic.find(type); at != std::string_view::npos; at = mnemonic.find(type, at + 1)) {
    const bool begins = at > 0 && (mnemonic[at - 1] == '.' || mnemonic[at - 1] == ':');
    const std::size_t end = at + type.size();
    if (begins && (end == mnemonic.size() || mnemonic[end] == '.')) return true;
  }
  return false;
}

}  // namespace

std::map<std::string, std::int64_t> tensor_core_types(std::string_view ptx) {
  std::map<std::string, std::int64_t> counts;
  for (std::size_t at = 0; at < ptx.size();) {
    if (!in_mnemonic(ptx[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < ptx.size() && in_mnemonic(ptx[at])) ++at;
    const std::string_view mnemonic = ptx.substr(begin, at - begin);
    if (!multiplies(mnemonic)) continue;
    const auto* type = std::find_if(kTypes.begin(), kTypes.end(),
                                    [&](std::string_view one) { return names(mnemonic, one); });
    ++counts[type == kTypes.end() ? "unknown" : std::string(*type)];
  }
  return counts;
}

}  // namespace kevolve::cuda
