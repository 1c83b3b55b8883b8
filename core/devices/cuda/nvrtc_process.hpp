#pragma once
// NvrtcProcess: runs `kevolve-nvrtc` in the sandbox, one process a job: no network, no files but the CUDA
// headers and libnvrtc, a deadline, limits of memory and of file size. Immutable; thread-safe.

#include <chrono>
#include <cstddef>
#include <filesystem>

#include "core/devices/cuda/compile_job.hpp"
#include "core/devices/cuda/toolkit.hpp"
#include "core/model/verdict.hpp"

namespace kevolve::cuda {

class NvrtcProcess {
 public:
  /// `programs`: folder of kevolve-nvrtc; empty: that of the running program. Finds the toolkit; starts
  /// nothing.
  static Result<NvrtcProcess> find(const std::filesystem::path& programs, std::size_t memory_bytes);

  /// A job with this toolkit's places filled in.
  [[nodiscard]] CompileJob new_job(const std::string& architecture) const;

  /// A job that the source makes run past the deadline or crash is a Verdict; an Error is operational.
  [[nodiscard]] Result<tl::expected<CompileAnswer, Verdict>> run(const CompileJob& job,
                                                                 std::chrono::milliseconds deadline) const;

  [[nodiscard]] const Toolkit& toolkit() const { return toolkit_; }

 private:
  NvrtcProcess(Toolkit toolkit, std::filesystem::path program, std::size_t memory_bytes)
      : toolkit_(std::move(toolkit)), program_(std::move(program)), memory_bytes_(memory_bytes) {}

  Toolkit toolkit_;
  std::filesystem::path program_;
  std::size_t memory_bytes_;
};

}  // namespace kevolve::cuda
