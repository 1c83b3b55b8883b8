#pragma once
// What authors of kernels want to know of this machine, in English. Pure.

#include <string>
#include <vector>

#include "core/devices/cpu/machine.hpp"

namespace kevolve::cpu {

/// 0: not measured. See peaks.hpp.
struct Peaks {
  double cold_copy_bytes_per_us = 0, fma_flops_per_us = 0;
};

std::vector<std::string> cpu_facts(int vector_bits, const std::vector<Cache>& caches,
                                   const std::string& flags, int threads, const Peaks& peaks);

}  // namespace kevolve::cpu
