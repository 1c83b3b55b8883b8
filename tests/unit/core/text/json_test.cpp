#include "core/text/json.hpp"

#include <filesystem>

#include "tests/catch.hpp"

namespace kevolve {
namespace {

std::string complaint_of(std::string_view text) {
  const auto json = parse_json(text, "a.json");
  REQUIRE_FALSE(json);
  return json.error().message;
}

TEST_CASE("documents keep the order of their keys, comments are accepted") {
  const auto json = parse_json(
      "// a job\n{ \"z\": [1, -2, 2.5, true, null], /* then */ \"a\": { \"k\": \"ü\" } }", "a.json");
  REQUIRE(json);
  CHECK(json->dump() == R"({"z":[1,-2,2.5,true,null],"a":{"k":"ü"}})");
  CHECK(parse_json(" 3 ", "a.json")->dump() == "3");
  CHECK(parse_json("[[], {}, [[1]]]", "a.json")->dump() == "[[],{},[[1]]]");
}

TEST_CASE("syntax errors give line, column, reason and the line's text") {
  CHECK(complaint_of("{\n  \"a\": 1,,\n}") ==
        "a.json: line 2, column 10: syntax error while parsing object key - unexpected ','; expected string "
        "literal\n"
        "    \"a\": 1,,");
  const std::string open = complaint_of("{ \"a\": [1, 2");
  CHECK(open.find("a.json: line 1, column 13: syntax error") == 0);
  CHECK(open.find("unexpected end of input") != std::string::npos);
  CHECK(complaint_of("").find("a.json: line 1, column 1: ") == 0);
  CHECK(complaint_of("{} {}").find("line 1, column 4: ") != std::string::npos);
  CHECK(complaint_of("{ \"a\": 1e999 }").find("number overflow") != std::string::npos);
  CHECK(complaint_of("{ \"a\": tru }").find("invalid literal") != std::string::npos);
}

TEST_CASE("duplicate keys are refused where they stand") {
  CHECK(complaint_of("{ \"a\": 1,\n  \"b\": { \"c\": 1, \"d\": 2, \"c\": 3 } }") ==
        "a.json: line 2, column 28: duplicate key 'c'; expected each key once in an object\n"
        "    \"b\": { \"c\": 1, \"d\": 2, \"c\": 3 } }");
  CHECK(parse_json(R"({ "a": { "c": 1 }, "b": { "c": 1 }, "c": [ { "c": 1 } ] })", "a.json"));
}

TEST_CASE("hostile documents give an error that can itself be written as JSON") {
  const std::string error = complaint_of("{ \"a\": \"\xff\xfe\" }");
  CHECK(error.find("invalid string: ill-formed UTF-8 byte") != std::string::npos);
  CHECK_NOTHROW(Json(error).dump());
  CHECK(complaint_of(std::string(1000, '[')).find("nested deeper than 100 levels") != std::string::npos);
  CHECK(complaint_of(std::string(1000, '{')).size() < 600);
}

TEST_CASE("a file that cannot be read says why") {
  const auto missing = read_text_file("/nonexistent/job.json");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "/nonexistent/job.json: cannot be opened: No such file or directory");
  const auto folder = read_json_file(std::filesystem::temp_directory_path());
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message.find(": is a folder; expected a file") != std::string::npos);
}

}  // namespace
}  // namespace kevolve
