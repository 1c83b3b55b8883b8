#pragma once
// The memory bandwidth of this machine, for the physical limit of a workload on the cpu device.

namespace kevolve {

/// Bytes a microsecond that `threads` threads copy (read and written bytes both count), the best over sizes
/// from the caches to main memory: a limit must not be below what a small workload can reach. About 0.2 s.
double copy_bytes_per_us(int threads);

}  // namespace kevolve
