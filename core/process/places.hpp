#pragma once
// Where this program stands, and where its user's cache is. Pure look-ups: nothing is created.

#include <filesystem>

namespace kevolve::process {

/// The file that this process runs; empty where /proc does not tell.
std::filesystem::path own_program();

/// The folder of own_program(), where the other programs stand, too; "." where /proc does not tell.
std::filesystem::path program_folder();

/// Below $XDG_CACHE_HOME or $HOME where such a folder exists, else in the temporary folder.
std::filesystem::path default_cache();

}  // namespace kevolve::process
