#pragma once
// What this machine is: read once from /proc and /sys. Pure reads; thread-safe.

#include <cstddef>
#include <string>
#include <vector>

namespace kevolve::cpu {

std::string processor_model();       ///< "AMD EPYC 9654 96-Core Processor"
std::string processor_identity();    ///< model and instruction set extensions: equal where -march=native is
std::string machine_architecture();  ///< "x86_64"
int vector_bits();                   ///< of the widest float vectors: 512, 256 or 128

/// A data cache as the first processor sees it.
struct Cache {
  int level = 1;
  std::size_t size_bytes = 0;
};
/// From sysfs, which also knows what a virtual machine was given; empty when it does not say.
std::vector<Cache> data_caches();

}  // namespace kevolve::cpu
