#pragma once
// The headers that NVRTC lacks and that kernels written for nvcc include, as texts: NVRTC has no host
// headers. Constant tables; thread-safe.

#include <string_view>
#include <vector>

namespace kevolve::cuda {

struct BuiltinHeader {
  const char* name;  ///< as in #include <name>
  const char* text;
};

/// "kevolve_prelude.h", which every compilation includes first, and the standard headers.
const std::vector<BuiltinHeader>& builtin_headers();

}  // namespace kevolve::cuda
