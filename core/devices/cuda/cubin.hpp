#pragma once
// What a cubin (an ELF file for a GPU) holds, as far as trust is concerned. The bytes are foreign: every
// offset is checked. Pure functions; the values own their memory.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::cuda {

/// Device memory that outlives a launch and that kernels can write.
struct WritableGlobal {
  std::string symbol;  ///< or the section's name where no symbol covers it
  std::uint64_t size_bytes = 0;
  std::string content;  ///< initial bytes; empty when zero-initialised
};

struct Cubin {
  std::vector<std::string> kernels;  ///< entry functions, by symbol, sorted
  std::vector<WritableGlobal> globals;
  std::vector<std::string> foreign_symbols;  ///< functions the cubin calls but does not define, sorted
  /// SHA-256 over code, constants and launch information, hex: equal for cubins that do the same, whatever
  /// macros, file names or compile options they were built with.
  std::string normalised_hash;
};

/// The error says in what way the bytes are no valid cubin.
Result<Cubin> read_cubin(std::string_view bytes);

/// Tables of CUDA's own trigonometry, which lie in writable memory: recognised by name, size and content.
/// A source cannot define their names (prelude.cpp), but can write to them: Program::tables_intact() looks
/// after runs.
bool is_library_table(const WritableGlobal& global);
std::array<const char*, 3> library_table_names();

}  // namespace kevolve::cuda
