#pragma once
// The committed inputs of a fuzz target. Regressions with a name are files in corpus/<target>/; all others
// stand in one bundle, corpus/<target>.zst: a zstd frame of inputs, each with its length in front (4 bytes,
// little-endian).

#include <filesystem>
#include <string>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::fuzz {

/// The inputs of a bundle, in its order. An error when it is missing, damaged or empty.
Result<std::vector<std::string>> read_bundle(const std::filesystem::path& file);

/// Replaces `file` by a bundle of `inputs`, sorted and each once, so that equal sets make equal files.
Result<> write_bundle(const std::filesystem::path& file, std::vector<std::string> inputs);

/// The contents of all files of a folder, by the files' names; none when there is no such folder.
Result<std::vector<std::string>> read_folder(const std::filesystem::path& folder);

}  // namespace kevolve::fuzz
