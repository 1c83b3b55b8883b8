#pragma once
// The rows of a merge: which rows of the attached archive `other` are here already, and the new ones, in
// sets.
//
// Ids count within one file, so every table has a map from other's ids to ours (temporary tables m_*: src,
// id, fresh). A row is known by what made it: operators and texts by their hash, devices by key, jobs by uid,
// and everything below by its mapped parent, its own columns and its time; of several equal ones the first is
// the first. Rows below a fresh parent need no look. New rows keep their order, behind ours, so that a parent
// stays older than its child. One transaction around all of it; failures throw.

#include "archive/connection.hpp"
#include "archive/upkeep.hpp"

namespace kevolve::archive {

/// Maps and copies all but rankings, standings and champions. Evaluations with an id above the return value
/// are new.
std::int64_t merge_rows(Connection& connection, MergeReport& report);

/// Derived rows and champions, which depend on what both archives know.
void merge_standings(Connection& connection, std::int64_t last_own_evaluation, MergeReport& report);
void merge_champions(Connection& connection, Timestamp now, MergeReport& report);

}  // namespace kevolve::archive
