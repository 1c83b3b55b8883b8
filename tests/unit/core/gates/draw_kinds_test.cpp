// The kinds of draws stand in one table; what people read and write about them must agree with it.
#include <fmt/format.h>

#include "core/gates/draw_plan.hpp"
#include "core/text/json.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

const std::string kRepository = KEVOLVE_SOURCE_DIR;

/// "| `impulse` | `value` 1, `count` 1 |"
std::string row_of(const DrawKind& kind) {
  std::string parameters;
  for (const DrawParameter& parameter : kind.parameters) {
    if (parameter.name.empty()) break;
    parameters += fmt::format("{}`{}`", parameters.empty() ? "" : ", ", parameter.name);
    if (!parameter.required()) parameters += fmt::format(" {}", parameter.fallback);
  }
  return fmt::format("| `{}` | {}{}", kind.name, parameters, parameters.empty() ? "|" : " |");
}

}  // namespace

TEST_CASE("the schema of operators allows the kinds of the table, with their parameters") {
  const auto schema = read_json_file(kRepository + "/config/schema/operator.schema.json");
  REQUIRE(schema);
  const Json& kinds = (*schema)["$defs"]["draw"]["oneOf"];
  REQUIRE(kinds.size() == kDrawKinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const Json& allowed = kinds[i];
    const DrawKind& kind = kDrawKinds[i];
    CAPTURE(kind.name);
    CHECK(allowed["properties"]["kind"]["const"] == kind.name);
    Json required = {"kind"};
    std::size_t count = 1;  // and the kind itself
    for (const DrawParameter& parameter : kind.parameters) {
      if (parameter.name.empty()) break;
      CAPTURE(parameter.name);
      ++count;
      REQUIRE(allowed["properties"].contains(parameter.name));
      if (parameter.required()) required.push_back(parameter.name);
      const std::string description = allowed["properties"][std::string(parameter.name)]["description"];
      const std::string fallback = fmt::format(", default {}.", parameter.fallback);
      CHECK((description.find(fallback) != std::string::npos) == !parameter.required());
    }
    CHECK(allowed["properties"].size() == count);
    CHECK(allowed["required"] == required);
  }
}

TEST_CASE("the guide for authors of operators lists the kinds of the table") {
  const auto guide = read_text_file(kRepository + "/docs/operator_authoring.md");
  REQUIRE(guide);
  for (const DrawKind& kind : kDrawKinds) {
    CAPTURE(row_of(kind));
    CHECK(guide->find("\n" + row_of(kind)) != std::string::npos);
  }
}

}  // namespace kevolve
