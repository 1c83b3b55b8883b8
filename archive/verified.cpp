#include "archive/verified.hpp"

#include <fmt/format.h>

#include <vector>

#include "archive/rows.hpp"

namespace kevolve::archive {

std::string verified_condition() {
  std::vector<std::string> gates;
  for (int i = 0; i <= static_cast<int>(Gate::profile); ++i) {
    const auto gate = static_cast<Gate>(i);
    if (is_verified({Outcome::passed, gate, ""})) gates.push_back(fmt::format("'{}'", name(gate)));
  }
  return fmt::format("outcome = '{}' AND gate IN ({})", name(Outcome::passed), fmt::join(gates, ", "));
}

void define_verified(Connection& connection) {
  connection.execute(
      "CREATE TEMP VIEW IF NOT EXISTS verified_evaluations AS SELECT * FROM main.evaluations WHERE " +
      verified_condition());
}

}  // namespace kevolve::archive
