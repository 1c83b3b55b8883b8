#pragma once
// Which global variables of a compilation no code refers to. NVRTC keeps every variable of a source, because
// a host might ask for it: `constexpr int kTile = 32;` becomes writable device memory although the compiler
// has folded its value into the code. In PTX, code reaches a variable by its name alone. A pure function.

#include <string>
#include <string_view>
#include <vector>

namespace kevolve::cuda {

/// Variables declared at the top of the PTX whose names occur nowhere else in it, sorted. Inline assembly is
/// part of the PTX, so a reference from there counts.
std::vector<std::string> unreferenced_globals(std::string_view ptx);

}  // namespace kevolve::cuda
