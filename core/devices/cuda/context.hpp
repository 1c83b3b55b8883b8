#pragma once
// Context: a process's GPU before any candidate is there: the primary context, a stream, two events, and the
// harness's own kernels. The judge has one, too, on the stream that LibTorch uses. Made once in a process and
// never torn down; one thread.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/devices/cuda/program.hpp"

namespace kevolve::cuda::runner {

class Context {
 public:
  enum class Stream { own, legacy };
  /// `gpu`: Driver::uuid().
  static Result<Context> open(const std::string& gpu, const std::filesystem::path& own_kernels,
                              Stream stream);

  /// Makes it current in this thread.
  void enter() const { driver_->cuCtxSetCurrent_(primary_); }
  [[nodiscard]] const Driver& driver() const { return *driver_; }
  [[nodiscard]] CUdevice device() const { return device_; }
  [[nodiscard]] CUstream stream() const { return stream_; }
  [[nodiscard]] int attribute(CUdevice_attribute which) const;

  /// Queued on the stream: nothing of other buffers is left in L2.
  CUresult flush_l2() const;
  /// Queued on the stream: nothing happens for so long.
  CUresult delay(std::chrono::microseconds time) const;
  /// Queued on the stream: every SM's shared memory holds `pattern`.
  CUresult scrub_shared(std::uint32_t pattern) const;
  /// With `clock`, one SM's clock is read as well, outside of what the marks enclose.
  CUresult mark_begin(bool clock = false) const;
  CUresult mark_end(bool clock = false) const;
  /// Between the marks, once the stream has been waited for.
  [[nodiscard]] double elapsed_us() const;
  /// The SM's clock between marks that read it; 0 when these were not on the same SM.
  [[nodiscard]] double sm_mhz() const;

 private:
  explicit Context(const Driver& driver) : driver_(&driver) {}
  Result<void> make_flush();

  const Driver* driver_;
  CUdevice device_ = 0;
  CUcontext primary_ = nullptr;
  CUstream stream_ = nullptr;
  CUevent begin_ = nullptr, end_ = nullptr;
  std::optional<Program> own_;
  CUresult read_clock(int mark) const;

  CUdeviceptr flush_ = 0, sink_ = 0;
  CUdeviceptr clocks_ = 0;  ///< two ClockReadings of kernels/runner.cu
  std::uint64_t flush_bytes_ = 0;
};

}  // namespace kevolve::cuda::runner
