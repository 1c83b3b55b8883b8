#pragma once
// Nvrtc: NVIDIA's run-time compiler, loaded with dlopen, so that kevolve builds and starts where there is
// none. Only `kevolve-nvrtc` uses it. Owns the loaded library for the life of the process. Not thread-safe.

#include "core/devices/cuda/compile_job.hpp"

namespace kevolve::cuda {

class Nvrtc {
 public:
  /// Loads the library; the error says which file could not be loaded and why.
  static Result<Nvrtc> load(const std::filesystem::path& library,
                            const std::vector<std::filesystem::path>& companions);

  /// "13.0" and the architectures that it knows; then compiles each group and writes its cubin.
  [[nodiscard]] CompileAnswer run(const CompileJob& job) const;

  struct Functions;

 private:
  explicit Nvrtc(const Functions* functions) : functions_(functions) {}
  const Functions* functions_;
};

}  // namespace kevolve::cuda
