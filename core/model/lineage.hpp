#pragma once
// How a candidate came from another. Stored by name: never rename.

#include <optional>
#include <string_view>

namespace kevolve {

enum class Relation {
  mutates_tunables_of,  ///< the same source, one tunable moved
  crosses_tunables_of,  ///< the same source, tunables taken from two parents
  combines,             ///< merges the ideas of its parents
  same_idea,            ///< another implementation of the parent's idea
  seeded_by,            ///< the parent was shown to whoever wrote it
  repairs,              ///< the same idea, its parent's fault corrected
  improves,             ///< the same idea, its right parent made faster
};

std::string_view name(Relation relation);  ///< "mutates tunables of", …
std::optional<Relation> relation_from_name(std::string_view name);

}  // namespace kevolve
