#pragma once
// The JSON type used everywhere. Objects keep the order in which keys were written.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/text/result.hpp"

namespace kevolve {

using Json = nlohmann::ordered_json;

/// Parses text; `where` names the file or field in errors, which give line, column and the line's text.
/// Comments (// and /* */) are accepted; duplicate keys are refused.
Result<Json> parse_json(std::string_view text, std::string_view where);
Result<Json> read_json_file(const std::filesystem::path& path);

/// The whole file, or an error that says why not.
Result<std::string> read_text_file(const std::filesystem::path& path);

}  // namespace kevolve
