#include "llm_client/backend.hpp"

#include <fmt/format.h>

#include <cctype>

namespace kevolve::llm {

std::string to_string(const ExchangeKey& key) {
  return fmt::format("{}/{}/round-{}/{}", key.operator_name, key.workload, key.round, key.slot);
}

std::string file_stem(const ExchangeKey& key) {
  std::string stem =
      fmt::format("{}.{}.round-{:02}.{}", key.operator_name, key.workload, key.round, key.slot);
  for (char& c : stem) {
    if (c == '/') c = '.';
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return stem;
}

}  // namespace kevolve::llm
