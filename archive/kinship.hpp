#pragma once
// How two candidates are related by their lineage. Pure.

#include <functional>
#include <string>
#include <vector>

#include "archive/records.hpp"

namespace kevolve::archive {

struct Kinship {
  enum class Kind { none, same, a_from_b, b_from_a, common } kind = Kind::none;
  std::vector<std::string> steps;  ///< a_from_b, b_from_a: relations from the younger one up to the older
  /// common: the nearest common ancestor (of equally near ones the oldest), and how many steps each is away
  /// from it.
  CandidateId ancestor;
  std::string ancestor_hash;
  int a_steps = 0, b_steps = 0;
};

/// `parents_of` gives a candidate's parents, which are older than it: their ids are less. It is asked once of
/// each ancestor, from the youngest on, and of none that cannot matter. `ancestor_hash` stays empty.
Kinship nearest_kinship(CandidateId a, CandidateId b,
                        const std::function<std::vector<ParentRecord>(CandidateId)>& parents_of);

}  // namespace kevolve::archive
