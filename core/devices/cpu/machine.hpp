#pragma once
// What this machine is: read once from /proc and /sys. Pure reads; thread-safe.

#include <cstddef>
#include <string>

namespace kevolve {

std::string processor_model();       ///< "AMD EPYC 9654 96-Core Processor"
std::string processor_identity();    ///< model and instruction set extensions: equal where -march=native is
std::string machine_architecture();  ///< "x86_64"

}  // namespace kevolve
