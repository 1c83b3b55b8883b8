#include "core/search/repair.hpp"

namespace kevolve::search {

bool is_repairable(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
    case Outcome::unsupported:
    case Outcome::quarantined:
    case Outcome::inconclusive:
      return false;
    default:
      return true;
  }
}

}  // namespace kevolve::search
