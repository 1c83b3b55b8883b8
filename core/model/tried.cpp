#include "core/model/tried.hpp"

#include <algorithm>
#include <functional>

namespace kevolve {

Tried::Tried(std::vector<std::uint64_t> marks) {
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  marks.shrink_to_fit();
  judged_ = std::make_shared<const std::vector<std::uint64_t>>(std::move(marks));
}

std::uint64_t Tried::mark(std::string_view candidate_hash) {
  static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
  return std::hash<std::string_view>()(candidate_hash);
}

bool Tried::contains(std::string_view candidate_hash) const {
  const std::uint64_t sought = mark(candidate_hash);
  return added_.contains(sought) || (judged_ && std::binary_search(judged_->begin(), judged_->end(), sought));
}

bool Tried::insert(std::string_view candidate_hash) {
  return !contains(candidate_hash) && added_.insert(mark(candidate_hash)).second;
}

}  // namespace kevolve
