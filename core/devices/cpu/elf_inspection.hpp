#pragma once
// The inspect gate of the cpu device: what a compiled candidate may hold, read from the bytes of its shared
// object.
//
// It may compute on its arguments and nothing else: no state that survives a launch (writable globals,
// thread-local storage), nothing that runs when it is loaded (constructors, ifuncs), no function of anybody
// but the SIMT runtime and the mathematics library. Pure over bytes; any bytes are safe to give. Thread-safe.

#include <optional>
#include <string>
#include <string_view>

#include "core/text/result.hpp"

namespace kevolve::cpu {

/// Names of the SIMT runtime's functions and variables, which the runner exports, begin with this.
inline constexpr std::string_view kRuntimePrefix = "kevolve_simt_";

/// A violation in complete sentences that name the symbol; nullopt when there is none. An Error when `bytes`
/// is not a well-formed x86-64 shared object. `entries`: launches it must export an entry for.
Result<std::optional<std::string>> inspect_shared_object(std::string_view bytes, std::size_t entries);

/// The bytes that are loaded (code and constants), without names of files and local symbols: equal for equal
/// programs.
Result<std::string> loaded_bytes(std::string_view bytes);

}  // namespace kevolve::cpu
