// daemon/http/openapi.json and the routes say the same.

#include <algorithm>
#include <set>

#include "daemon/http/router.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::http;

namespace {

Json document() {
  const Result<Json> json = read_json_file(KEVOLVE_SOURCE_DIR "/daemon/http/openapi.json");
  if (!json) FAIL(json.error().message);
  return *json;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

TEST_CASE("every route is in the document, with its parameters, its body and who may") {
  const Json paths = document().at("paths");
  for (const Route& one : routes()) {
    INFO(one.method << " " << one.path);
    REQUIRE(paths.contains(std::string(one.path)));
    REQUIRE(paths.at(std::string(one.path)).contains(lower(one.method)));
    const Json operation = paths.at(std::string(one.path)).at(lower(one.method));
    std::set<std::string> parameters, in_path;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      if (parameter.at("in") == "query") parameters.insert(parameter.at("name").get<std::string>());
      if (parameter.at("in") == "path") in_path.insert("{" + parameter.at("name").get<std::string>() + "}");
    }
    CHECK(parameters == std::set<std::string>(one.parameters.begin(), one.parameters.end()));
    CHECK(in_path.size() == static_cast<std::size_t>(std::count(one.path.begin(), one.path.end(), '{')));
    for (const std::string& name : in_path) CHECK(one.path.find(name) != std::string_view::npos);
    const bool anybody = operation.at("security").dump().find("{}") != std::string::npos;
    CHECK(anybody == !one.changes);
    CHECK(operation.contains("requestBody") == (one.body != BodyRule::none));
    if (operation.contains("requestBody"))
      CHECK(operation.at("requestBody").at("required").get<bool>() == (one.body == BodyRule::required));
    CHECK(operation.at("responses").contains("default"));
  }
}

TEST_CASE("the document has no route that is not there") {
  std::size_t operations = 0;
  std::set<std::string> ids;
  const Json whole = document();
  for (const auto& [path, methods] : whole.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      INFO(method << " " << path);
      ++operations;
      CHECK(ids.insert(operation.at("operationId").get<std::string>()).second);
      const auto& known = routes();
      CHECK(std::any_of(known.begin(), known.end(), [&, &p = path, &m = method](const Route& one) {
        return one.path == p && lower(one.method) == m;
      }));
    }
  }
  CHECK(operations == routes().size());
}

TEST_CASE("every reference of the document leads somewhere") {
  const Json whole = document();
  const std::string text = whole.dump();
  const std::string mark = "\"$ref\":\"#";
  int references = 0;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::string pointer = text.substr(begin, text.find('"', begin) - begin);
    INFO(pointer);
    CHECK(whole.contains(Json::json_pointer(pointer)));
    ++references;
  }
  CHECK(references > 20);
}
