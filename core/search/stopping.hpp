#pragma once
// When an operator's search ends before its rounds do. Pure.

#include <optional>
#include <string>
#include <vector>

namespace kevolve::search {

struct PlateauRule {
  int rounds = 2;      ///< this many rounds in a row …
  double gain = 0.02;  ///< … each less than this fraction faster than the best before it
};

/// `best_us`: the champion's time after each finished round, the naive seed's first. A reason in English, or
/// nothing.
std::optional<std::string> plateau(const std::vector<double>& best_us, const PlateauRule& rule);

/// A reason when the champion is within `margin` of the physical limit: nothing is left to win.
std::optional<std::string> at_physical_limit(double champion_us, double floor_us, double margin = 0.05);

}  // namespace kevolve::search
