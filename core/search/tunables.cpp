#include "core/search/tunables.hpp"

#include <algorithm>

namespace kevolve::search {
namespace {

/// Spaces up to this size are enumerated whole; larger ones are sampled.
constexpr std::size_t kEnumerationLimit = 4096;
/// Draws for each wanted choice before giving up on a sparse space.
constexpr std::size_t kDrawsPerChoice = 64;

std::size_t space_size(const CandidateHeader& header) {
  std::size_t size = 1;
  for (const auto& [name, values] : header.tunables) {
    size *= values.size();
    if (size > kEnumerationLimit) return size;
  }
  return size;
}

/// The choice whose mixed-radix digits are those of `index`.
Bindings choice_at(const CandidateHeader& header, std::size_t index) {
  Bindings choice;
  for (const auto& [name, values] : header.tunables) {
    choice[name] = values[index % values.size()];
    index /= values.size();
  }
  return choice;
}

Bindings random_choice(const CandidateHeader& header, Random& random) {
  Bindings choice;
  for (const auto& [name, values] : header.tunables) choice[name] = values[random.below(values.size())];
  return choice;
}

void push_distinct(std::vector<Bindings>& choices, const Bindings& choice) {
  if (std::find(choices.begin(), choices.end(), choice) == choices.end()) choices.push_back(choice);
}

}  // namespace

TunableSpace::TunableSpace(const CandidateHeader& header, const Operator& op, const Bindings& axes,
                           const DeviceLimits& limits)
    : header_(header), op_(op), axes_(axes), limits_(limits) {}

bool TunableSpace::valid(const Bindings& choice) const {
  return resolve(header_, op_, axes_, choice, limits_).has_value();
}

std::vector<Bindings> TunableSpace::candidates(Random& random, std::size_t count) const {
  std::vector<Bindings> choices;
  const Bindings first = default_tunables(header_);
  if (valid(first)) choices.push_back(first);
  const std::size_t size = space_size(header_);
  if (size <= kEnumerationLimit) {
    std::vector<std::size_t> order(size);
    for (std::size_t i = 0; i < size; ++i) order[i] = i;
    random.shuffle(order);
    for (const std::size_t index : order) {
      const Bindings choice = choice_at(header_, index);
      if (choice != first && valid(choice)) choices.push_back(choice);
    }
    return choices;
  }
  for (std::size_t draw = 0; draw < kDrawsPerChoice * count; ++draw) {
    const Bindings choice = random_choice(header_, random);
    if (valid(choice)) push_distinct(choices, choice);
  }
  return choices;
}

std::vector<Bindings> TunableSpace::neighbours(const Bindings& choice) const {
  std::vector<Bindings> found;
  for (const auto& [name, values] : header_.tunables) {
    std::vector<std::int64_t> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const auto here = std::find(sorted.begin(), sorted.end(), choice.at(name));
    const auto step_to = [&, &tunable = name](std::vector<std::int64_t>::iterator there) {
      Bindings moved = choice;
      moved[tunable] = *there;
      if (valid(moved)) push_distinct(found, moved);
    };
    if (here == sorted.end()) continue;
    if (here != sorted.begin()) step_to(std::prev(here));
    if (std::next(here) != sorted.end()) step_to(std::next(here));
  }
  return found;
}

std::vector<Bindings> TunableSpace::crossovers(const Bindings& a, const Bindings& b, Random& random) const {
  std::vector<Bindings> found;
  const std::size_t draws = std::size_t{4} << std::min<std::size_t>(header_.tunables.size(), 6);
  for (std::size_t draw = 0; draw < draws; ++draw) {
    Bindings child;
    for (const auto& [name, values] : header_.tunables) child[name] = (random.below(2) == 0 ? a : b).at(name);
    if (child != a && child != b && valid(child)) push_distinct(found, child);
  }
  return found;
}

}  // namespace kevolve::search
