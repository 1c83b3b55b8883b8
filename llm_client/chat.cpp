#include "llm_client/chat.hpp"

#include <array>

namespace kevolve::llm {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};
constexpr std::array<std::string_view, 4> kFinishes = {"stop", "length", "content_filter", "unknown"};
constexpr std::array<std::string_view, 4> kErrorKinds = {"refused", "quota", "exhausted", "cancelled"};

}  // namespace

std::string_view name(Role role) {
  return kRoles[static_cast<std::size_t>(role)];
}

std::optional<Role> role_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

std::string_view name(Finish finish) {
  return kFinishes[static_cast<std::size_t>(finish)];
}

std::optional<Finish> finish_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kFinishes.size(); ++i) {
    if (kFinishes[i] == name) return static_cast<Finish>(i);
  }
  return std::nullopt;
}

std::string_view name(ChatError::Kind kind) {
  return kErrorKinds[static_cast<std::size_t>(kind)];
}

TokenUsage& TokenUsage::operator+=(const TokenUsage& other) {
  input += other.input;
  cached_input += other.cached_input;
  output += other.output;
  reasoning += other.reasoning;
  return *this;
}

}  // namespace kevolve::llm
