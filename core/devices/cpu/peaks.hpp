#pragma once
// What this machine's memory and vector units reach, measured. Each call keeps `threads` threads busy.

namespace kevolve::cpu {

/// Bytes a microsecond (read and written bytes both count) that a plain loop y = c * x moves between buffers
/// that are in no cache: what a kernel meets whose buffers were flushed. About 40 ms.
double cold_copy_bytes_per_us(int threads);

/// fp32 operations a microsecond in fused multiply-adds over the widest vectors of the processor; 0 when it
/// has none. About 10 ms.
double fma_flops_per_us(int threads);

}  // namespace kevolve::cpu
