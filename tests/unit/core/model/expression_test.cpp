#include "core/model/expression.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

const Bindings kBindings = {{"L", 100}, {"VEC", 4}, {"SPLIT", 8}, {"ZERO", 0}, {"num_sms", 132}};

std::int64_t value_of(const std::string& text) {
  const auto expression = Expression::parse(text);
  REQUIRE(expression);
  const auto value = expression->evaluate(kBindings);
  REQUIRE(value);
  return *value;
}

std::string parse_error(const std::string& text) {
  const auto expression = Expression::parse(text);
  REQUIRE_FALSE(expression);
  return expression.error().message;
}

std::string evaluation_error(const std::string& text) {
  const auto expression = Expression::parse(text);
  REQUIRE(expression);
  const auto value = expression->evaluate(kBindings);
  REQUIRE_FALSE(value);
  return value.error().message;
}

TEST_CASE("expressions have C's precedence and associativity") {
  const std::vector<std::pair<std::string, std::int64_t>> cases = {
      {"2 + 3 * 4", 14},
      {"(2 + 3) * 4", 20},
      {"20 - 5 - 3", 12},
      {"100 / 10 / 5", 2},
      {"100 / (10 / 5)", 50},
      {"17 % 5 * 2", 4},
      {"-3 + 5", 2},
      {"- -3", 3},
      {"-2 * -3", 6},
      {"!0 + 1", 2},
      {"!!5", 1},
      {"1 + 1 == 2", 1},
      {"1 < 2 == 1", 1},
      {"3 > 2 > 1", 0},
      {"2 <= 2 && 3 >= 4", 0},
      {"1 || 0 && 0", 1},
      {"(1 || 0) && 0", 0},
      {"1 != 2 || 0", 1},
      {"-7 / 2", -3},
      {"-7 % 2", -1},
      {"L % (SPLIT * VEC) == 0", 0},
      {"min(3, L, 2)", 2},
      {"max(3, L, 2)", 100},
      {"ceil_div(L, 32)", 4},
      {"ceil_div(96, 32)", 3},
      {"ceil_div(-7, 2)", -3},
      {"ceil_div(-7, -2)", 4},
      {"2 * num_sms", 264},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775807 - 1", INT64_MIN},
      {"\t1\t+ 1 ", 2},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(value_of(text) == expected);
  }
}

TEST_CASE("&& and || leave the right side unevaluated where C does") {
  CHECK(value_of("ZERO != 0 && L / ZERO > 1") == 0);
  CHECK(value_of("ZERO == 0 || L / ZERO > 1") == 1);
  CHECK(evaluation_error("ZERO == 0 && L / ZERO > 1").find("division by zero") != std::string::npos);
}

TEST_CASE("an expression knows its names and its text") {
  const auto expression = Expression::parse("L % (SPLIT * VEC) == min(0, L)");
  REQUIRE(expression);
  CHECK(expression->names() == std::set<std::string>{"L", "SPLIT", "VEC"});
  CHECK(expression->text() == "L % (SPLIT * VEC) == min(0, L)");
}

TEST_CASE("syntax errors name column, what was found, what was expected, and the text") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "column 1: found the end, expected an integer, a name, '-', '!' or '('; in \"\""},
      {"L %", "column 4: found the end, expected an integer, a name, '-', '!' or '('; in \"L %\""},
      {"L % )", "column 5: found ')', expected an integer, a name, '-', '!' or '('; in \"L % )\""},
      {"(L", "column 3: found the end, expected an operator or ')'; in \"(L\""},
      {"L VEC", "column 3: found 'VEC', expected an operator or the end; in \"L VEC\""},
      {"L)", "column 2: found ')', expected an operator or the end; in \"L)\""},
      {"L & 3", "column 3: found '&', expected '&&'; in \"L & 3\""},
      {"L | 3", "column 3: found '|', expected '||'; in \"L | 3\""},
      {"L = 3", "column 3: found '=', expected '==' (there is no assignment); in \"L = 3\""},
      {"1.5", "column 2: found '.', expected integers only, no decimal point; in \"1.5\""},
      {"L ? 1 : 2",
       "column 3: found '?', expected an integer, a name, an operator or parentheses; in \"L ? 1 : 2\""},
      {"L\n",
       "column 2: found byte 0x0a, expected an integer, a name, an operator or parentheses; in \"L\n\""},
      {"0x10", "column 1: found '0x10', expected a decimal integer; in \"0x10\""},
      {"010", "column 1: found '010', expected a decimal integer; in \"010\""},
      {"9223372036854775808",
       "column 1: found '9223372036854775808', expected an integer of at most 9223372036854775807; in "
       "\"9223372036854775808\""},
      {"log2(L)", "column 1: found function 'log2', expected min, max or ceil_div; in \"log2(L)\""},
      {"min", "column 4: found the end, expected '(' after the function min; in \"min\""},
      {"min(1)", "column 1: found min with 1 argument(s), expected at least 2; in \"min(1)\""},
      {"1 + ceil_div(1, 2, 3)",
       "column 5: found ceil_div with 3 argument(s), expected exactly 2; in \"1 + ceil_div(1, 2, 3)\""},
      {"max(1, 2", "column 9: found the end, expected an operator, ',' or ')'; in \"max(1, 2\""},
  };
  for (const auto& [text, expected] : cases) CHECK(parse_error(text) == expected);
}

TEST_CASE("hostile expressions are refused, not recursed into") {
  CHECK(parse_error(std::string(100, '(') + "1").find("nested deeper than 64 levels") != std::string::npos);
  CHECK(parse_error(std::string(100, '-') + "1").find("nested deeper than 64 levels") != std::string::npos);
  CHECK(parse_error(std::string(2001, '1')).find("2001 characters; expected at most 2000") !=
        std::string::npos);
  std::string chain = "1";
  while (chain.size() < 1990) chain += "+1";
  CHECK(value_of(chain) == 996);
}

TEST_CASE("evaluation errors say what could not be computed") {
  CHECK(evaluation_error("L / ZERO") == "division by zero: 100 / 0; in \"L / ZERO\"");
  CHECK(evaluation_error("L % ZERO") == "division by zero: 100 % 0; in \"L % ZERO\"");
  CHECK(evaluation_error("ceil_div(L, ZERO)") == "division by zero: 100 / 0; in \"ceil_div(L, ZERO)\"");
  CHECK(evaluation_error("SPLT * 2") ==
        "unknown name 'SPLT'; did you mean 'SPLIT'? known names: L, SPLIT, VEC, ZERO, num_sms; in \"SPLT * "
        "2\"");
  for (const char* text : {"9223372036854775807 + 1", "-9223372036854775807 - 2", "4611686018427387904 * 2",
                           "-(-9223372036854775807 - 1)", "(-9223372036854775807 - 1) / -1",
                           "(-9223372036854775807 - 1) % -1", "ceil_div(-9223372036854775807 - 1, -1)"}) {
    CHECK(evaluation_error(text).find("64-bit overflow") == 0);
  }
  CHECK(Expression().evaluate({}).error().message == "empty expression; expected an integer expression");
}

}  // namespace
}  // namespace kevolve
