#pragma once
// The archive's tables (docs/archive_schema.md) as a list of migrations. `PRAGMA user_version` counts those
// applied; released ones never change. A kevolve archive carries its own `PRAGMA application_id`.

#include <span>
#include <string_view>

#include "archive/connection.hpp"

namespace kevolve::archive {

inline constexpr std::int64_t kApplicationId = 0x6b65766f;  ///< "kevo"

/// SQL of each schema version, the first from an empty file.
std::span<const std::string_view> migrations();

/// Refuses what is not a kevolve archive, or is newer than `steps`, before anything is written to it.
void check_identity(Connection& connection, std::span<const std::string_view> steps);

/// Applies the missing steps in one transaction; an interrupted migration leaves the older version.
void migrate(Connection& connection, std::span<const std::string_view> steps);

}  // namespace kevolve::archive
