#pragma once
// The inspect gate: what a compiled candidate must not hold. Source patterns are tripwires only; this is
// judged on the cubin, which is what would run. Pure functions.

#include <string>
#include <vector>

#include "core/devices/cuda/cubin.hpp"
#include "core/devices/cuda/manifest.hpp"

namespace kevolve::cuda {

/// What variables that no code refers to may take together: enough for the constants of libraries' headers,
/// too little to keep an answer in, should code reach them from a neighbour's address.
inline constexpr std::uint64_t kUnreferencedBytes = 8 * 1024;

/// Reasons to refuse, complete sentences; empty when there are none. `unreferenced`, sorted: variables that
/// no code names (ptx_globals.hpp).
std::vector<std::string> violations(const Cubin& cubin, const std::vector<std::string>& unreferenced);

/// Kernels that launches name and their cubin does not hold, as sentences. `cubins` parallel to
/// Manifest::cubins.
std::vector<std::string> missing_kernels(const std::vector<Cubin>& cubins,
                                         const std::vector<CompiledKernel>& kernels);

/// Kernels in the cubins that no launch names: no fault, but worth a word.
std::vector<std::string> unused_kernels(const std::vector<Cubin>& cubins,
                                        const std::vector<CompiledKernel>& kernels);

}  // namespace kevolve::cuda
