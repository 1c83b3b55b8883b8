#include "core/model/lineage.hpp"

namespace kevolve {

std::string_view name(Relation relation) {
  switch (relation) {
    case Relation::mutates_tunables_of:
      return "mutates tunables of";
    case Relation::crosses_tunables_of:
      return "crosses tunables of";
    case Relation::combines:
      return "combines";
    case Relation::same_idea:
      return "same idea";
    case Relation::seeded_by:
      return "seeded by";
    case Relation::repairs:
      return "repairs";
    case Relation::improves:
      return "improves";
  }
  return "";
}

std::optional<Relation> relation_from_name(std::string_view text) {
  for (const Relation relation :
       {Relation::mutates_tunables_of, Relation::crosses_tunables_of, Relation::combines, Relation::same_idea,
        Relation::seeded_by, Relation::repairs, Relation::improves}) {
    if (name(relation) == text) return relation;
  }
  return std::nullopt;
}

}  // namespace kevolve
