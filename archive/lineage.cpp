// Ancestors of candidates in an Archive. A long search makes chains of thousands, so only the generations
// asked for are read.

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"

namespace kevolve::archive {
namespace {

LineageNode read_node(Connection& connection, CandidateId candidate) {
  Statement query(connection, R"sql(
      SELECT c.candidate_hash, i.text, c.tunables, r.number, e.gate, e.outcome, e.evidence, coalesce(e.speedup, 0.0)
        FROM candidates c
        JOIN ideas i ON i.id = c.idea
        LEFT JOIN rounds r ON r.id = c.round
        LEFT JOIN evaluations e ON e.id = c.evaluation
       WHERE c.id = ?1)sql");
  if (!query.bind(candidate).step())
    throw ArchiveFailure(fmt::format("there is no candidate #{}.", candidate.value));
  LineageNode node;
  node.candidate = candidate;
  Json tunables;
  std::optional<Gate> gate;
  std::optional<Outcome> outcome;
  std::string evidence;
  double speedup = 0;
  query.read(node.hash, node.idea_text, tunables, node.round_number, gate, outcome, evidence, speedup);
  node.tunables = tunables.get<Bindings>();
  if (gate && outcome) {
    node.verdict = Verdict{*outcome, *gate, evidence};
    if (is_verified(*node.verdict)) node.speedup = speedup;
  }
  return node;
}

using Parents = std::map<CandidateId, std::vector<ParentRecord>>;

/// The parents of `root` and of its ancestors up to `generations` ago, each by its shortest path.
Parents parents_within(Connection& connection, CandidateId root, int generations) {
  Parents parents;
  std::set<CandidateId> generation = {root};
  for (int i = 0; !generation.empty() && (generations == 0 || i < generations); ++i) {
    std::set<CandidateId> next;
    for (const CandidateId candidate : generation) {
      const auto& found = parents.emplace(candidate, read_parents(connection, candidate)).first->second;
      for (const ParentRecord& parent : found) next.insert(parent.candidate);
    }
    std::erase_if(next, [&](CandidateId candidate) { return parents.contains(candidate); });
    generation = std::move(next);
  }
  return parents;
}

void expand(Connection& connection, const Parents& parents, LineageNode& node,
            std::set<CandidateId>& expanded) {
  if (!expanded.insert(node.candidate).second) {
    node.repeated = true;
    return;
  }
  const auto known = parents.find(node.candidate);
  if (known == parents.end()) {
    node.cut = !read_parents(connection, node.candidate).empty();
    return;
  }
  node.parents.reserve(known->second.size());
  for (const ParentRecord& parent : known->second) {
    LineageNode& child = node.parents.emplace_back(read_node(connection, parent.candidate));
    child.relation = parent.relation;
    expand(connection, parents, child, expanded);
  }
}

}  // namespace

Result<LineageNode> Archive::lineage(CandidateId candidate, int generations) {
  return impl_->read([&] {
    LineageNode root = read_node(impl_->connection, candidate);
    std::set<CandidateId> expanded;
    expand(impl_->connection, parents_within(impl_->connection, candidate, generations), root, expanded);
    return root;
  });
}

Result<std::int64_t> Archive::count_ancestors(CandidateId candidate, std::int64_t most) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kCountAncestors);
    query.bind(candidate, most).step();
    std::int64_t count = 0;
    query.read(count);
    return count;
  });
}

Result<Kinship> Archive::kinship(CandidateId a, CandidateId b) {
  return impl_->read([&] {
    Connection& connection = impl_->connection;
    Kinship found = nearest_kinship(a, b, [&](CandidateId child) { return read_parents(connection, child); });
    if (found.kind == Kinship::Kind::common) found.ancestor_hash = read_node(connection, found.ancestor).hash;
    return found;
  });
}

}  // namespace kevolve::archive
