#pragma once
// Toolkit: where NVRTC and the headers that kernels include are found on this machine. Nothing of it is
// needed at build time, and this process never loads it: only `kevolve-nvrtc` does, in a sandbox. Plain data.

#include <filesystem>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::cuda {

struct Toolkit {
  std::filesystem::path root;                          ///< canonical
  std::filesystem::path library;                       ///< libnvrtc.so…
  std::vector<std::filesystem::path> companions;       ///< libnvrtc-builtins.so…, loaded before it
  std::vector<std::filesystem::path> include_folders;  ///< of the CUDA headers, then of libcu++ and cub
};

/// The first usable one of $CUDA_HOME, /usr/local/cuda, what is installed beside `programs` (lib/kevolve),
/// what scripts/setup.sh fetched into the source tree whose build/bin holds `programs`, and the parents of
/// $LD_LIBRARY_PATH's folders. The error says what to install.
Result<Toolkit> find_toolkit(const std::filesystem::path& programs);

/// The toolkit in exactly this folder, or why it is none.
Result<Toolkit> toolkit_in(const std::filesystem::path& root);

}  // namespace kevolve::cuda
