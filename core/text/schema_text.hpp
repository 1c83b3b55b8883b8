#pragma once
// The texts of config/schema/*.schema.json, compiled in: the programs need no files to check their input.
// Immutable; internal to core/text.

#include <array>
#include <string_view>

namespace kevolve {

struct SchemaText {
  std::string_view name;  ///< "operator", "candidate", "job" or "models"
  std::string_view text;
};

extern const std::array<SchemaText, 5> kSchemaTexts;

}  // namespace kevolve
