#pragma once
// The memory bandwidth of this machine, for the physical limit of a workload on the cpu device.

namespace kevolve::cpu {

/// Bytes a microsecond that `threads` threads copy (read and written bytes both count), the best over sizes
/// from the caches to main memory: a limit must not be below what a small workload can reach, and a timed
/// kernel finds nothing in caches, so that it is far above what kernels see (peaks.hpp has that). About 0.2
/// s.
double copy_bytes_per_us(int threads);

}  // namespace kevolve::cpu
