#include "llm_client/prompts/template.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

TEST_CASE("names in double braces are values, other braces are text") {
  CHECK(value_names("{{a}} {{ b }} {{0}} {{a_1}} { {c} } {{d} } {{}} {{{e}}} {{f") ==
        std::set<std::string>{"a", "b", "a_1", "e"});
  CHECK(render("{{a}}-{{ b }}-{{0}}-{{{a}}}", {{"a", "1"}, {"b", "2"}}) == "1-2-{{0}}-{1}");
}

TEST_CASE("a value's own braces are not looked at, and an unknown name stays") {
  CHECK(render("{{a}} {{x}}", {{"a", "{{b}}"}, {"b", "no"}}) == "{{b}} {{x}}");
}
