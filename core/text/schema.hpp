#pragma once
// Validation of foreign JSON against the schemas in config/schema/, which are also its documentation.
//
// The subset of JSON Schema 2020-12 that those files use: type, properties, required,
// additionalProperties, patternProperties, items, enum, const, minimum, maximum, minItems, maxItems,
// minLength, pattern, oneOf (told apart by type or by a const property), $ref to #/$defs. Errors name
// the file, the field, the value, what was expected and, for an unknown key, the nearest known one.
// The schemas are compiled into the program. Thread-safe.

#include <string_view>

#include "core/text/json.hpp"

namespace kevolve {

/// `schema`: "operator", "candidate", "job", "models" or "daemon". `where`: file name (and field) that errors
/// start with.
Result<void> validate(const Json& value, std::string_view schema, std::string_view where);

}  // namespace kevolve
