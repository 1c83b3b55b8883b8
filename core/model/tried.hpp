#pragma once
// Tried: which candidates were judged already, known by 64 bits of their hashes (core/model/candidate.hpp).
// Two different ones are taken for the same with a probability of n² / 2⁶⁵: below one in ten million for a
// million, and then one candidate is not asked for. Copies share what they were made with. Not thread-safe
// while it is changed.

#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

namespace kevolve {

class Tried {
 public:
  Tried() = default;
  /// `marks`: of mark(), in any order.
  explicit Tried(std::vector<std::uint64_t> marks);

  /// What stands for a candidate's hash, in this process.
  static std::uint64_t mark(std::string_view candidate_hash);

  [[nodiscard]] bool contains(std::string_view candidate_hash) const;
  /// False: it was there.
  bool insert(std::string_view candidate_hash);
  [[nodiscard]] std::size_t size() const { return (judged_ ? judged_->size() : 0) + added_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  std::shared_ptr<const std::vector<std::uint64_t>> judged_;  ///< ascending
  std::set<std::uint64_t> added_;
};

}  // namespace kevolve
