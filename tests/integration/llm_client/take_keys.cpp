// Takes KEVOLVE_TEST_KEY and prints what /proc/self/environ shows then.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "llm_client/http/keys.hpp"

int main() {
  using kevolve::Json;
  const Json document = {
      {"endpoints",
       {{"e", {{"api", "openai"}, {"url", "http://localhost"}, {"key", {{"env", "KEVOLVE_TEST_KEY"}}}}}}},
      {"models", {{"m", {{"endpoint", "e"}, {"model", "x"}}}}}};
  const auto file = kevolve::llm::parse_models(document, "models.json");
  const auto keys = file ? kevolve::llm::take_keys(*file, {"e"}) : kevolve::failure(file.error());
  if (!keys) {
    std::fputs(keys.error().message.c_str(), stderr);
    return 1;
  }
  std::ifstream file_of_it("/proc/self/environ");
  const std::string shown((std::istreambuf_iterator<char>(file_of_it)), {});
  for (const char c : shown) std::putchar(c == '\0' ? '\n' : c);
  return keys->at("e").size() > 20 ? 0 : 2;
}
