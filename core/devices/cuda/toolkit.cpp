#include "core/devices/cuda/toolkit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <system_error>

namespace kevolve::cuda {
namespace {

namespace fs = std::filesystem;

/// Files of `folder` whose name starts with `prefix`, without the alternative builds (".alt."), newest name
/// first.
std::vector<fs::path> files_starting(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(prefix, 0) == 0 && name.find(".alt.") == std::string::npos) found.push_back(entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

std::vector<fs::path> candidates(const fs::path& programs) {
  std::vector<fs::path> folders;
  if (const char* home = std::getenv("CUDA_HOME"); home != nullptr && *home != 0) folders.emplace_back(home);
  folders.emplace_back("/usr/local/cuda");
  for (const char* fetched :
       {"../lib/kevolve/nvidia/cu13", "../../.deps/nvidia/cu13"})  // installed, or built
    folders.push_back((programs / fetched).lexically_normal());
  if (const char* path = std::getenv("LD_LIBRARY_PATH"); path != nullptr) {
    std::istringstream entries(path);
    for (std::string entry; std::getline(entries, entry, ':');)
      if (!entry.empty()) folders.push_back(fs::path(entry) / "..");
  }
  return folders;
}

}  // namespace

Result<Toolkit> toolkit_in(const fs::path& root) {
  std::error_code error;
  Toolkit toolkit;
  toolkit.root = fs::canonical(root, error);
  if (error) return failure(fmt::format("'{}' does not exist", root.string()));
  for (const char* header : {"include/cuda_fp16.h", "include/crt/host_defines.h"})
    if (!fs::exists(toolkit.root / header, error))
      return failure(fmt::format("'{}' has no {}", root.string(), header));
  toolkit.include_folders.push_back(toolkit.root / "include");
  if (fs::is_directory(toolkit.root / "include/cccl", error))
    toolkit.include_folders.push_back(toolkit.root / "include/cccl");
  for (const char* folder : {"lib64", "lib"}) {
    const auto libraries = files_starting(toolkit.root / folder, "libnvrtc.so");
    if (libraries.empty()) continue;
    toolkit.library = fs::canonical(libraries.front(), error);
    const auto builtins = files_starting(toolkit.root / folder, "libnvrtc-builtins.so");
    if (!builtins.empty()) toolkit.companions.push_back(builtins.front());
    return toolkit;
  }
  return failure(fmt::format("'{}' has no lib64/libnvrtc.so nor lib/libnvrtc.so", root.string()));
}

Result<Toolkit> find_toolkit(const fs::path& programs) {
  std::string tried;
  for (const fs::path& folder : candidates(programs)) {
    auto toolkit = toolkit_in(folder);
    if (toolkit) return toolkit;
    tried += "\n  " + toolkit.error().message;
  }
  return failure(
      "no NVRTC on this machine, so CUDA cannot be compiled. Install the CUDA toolkit 12.4 or newer and set "
      "CUDA_HOME to its folder, or run scripts/setup.sh, which fetches NVRTC alone. Tried:" +
      tried);
}

}  // namespace kevolve::cuda
