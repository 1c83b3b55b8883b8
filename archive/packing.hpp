#pragma once
// Packing of long texts (sources, prompts): zstd frames, as SQL functions of every connection of the archive.
//
// kevolve_pack(text): a zstd frame, or NULL where packing would not save at least an eighth.
// kevolve_unpack(packed, text): the text, whichever of the two columns holds it. Pure; thread-safe.

#include <optional>
#include <string>
#include <string_view>

struct sqlite3;

namespace kevolve::archive {

std::optional<std::string> pack(std::string_view text);
std::optional<std::string> unpack(std::string_view frame);  ///< nothing unless pack() made the frame

/// Returns an SQLite result code.
int add_packing_functions(sqlite3* handle);

}  // namespace kevolve::archive
