#pragma once
// The names that measurements give to what they time: the candidate, and the kernels and baselines beside it.
// An operator's own baselines have further names. Stored by name: never rename.

#include <algorithm>
#include <array>
#include <string_view>

namespace kevolve::subjects {

inline constexpr std::string_view kCandidate = "candidate";  ///< the kernel that is judged
inline constexpr std::string_view kNaive = "naive";          ///< the operator's simplest kernel
inline constexpr std::string_view kIncumbent = "incumbent";  ///< the champion while another is judged
inline constexpr std::string_view kEager = "eager";          ///< the reference, as PyTorch runs it
inline constexpr std::string_view kCompile = "compile";      ///< the reference, compiled by torch.compile

inline constexpr std::array kKernels = {kCandidate, kNaive, kIncumbent};
inline constexpr std::array kAll = {kCandidate, kNaive, kIncumbent, kEager, kCompile};
/// What a speed-up may be against.
inline constexpr std::array kYardsticks = {kNaive, kEager, kCompile};

template <class Names>
constexpr bool contains(const Names& names, std::string_view subject) {
  return std::find(names.begin(), names.end(), subject) != names.end();
}
/// A kernel of ours; everything else is PyTorch's.
constexpr bool is_kernel(std::string_view subject) {
  return contains(kKernels, subject);
}
/// A name that an operator's own baseline cannot have.
constexpr bool is_taken(std::string_view subject) {
  return contains(kAll, subject);
}
constexpr bool is_yardstick(std::string_view subject) {
  return contains(kYardsticks, subject);
}

}  // namespace kevolve::subjects
