#pragma once
// What differs between two archived kernels. Pure: values of an Archive in, values out, with a JSON form.

#include <optional>
#include <string>
#include <vector>

#include "archive/kinship.hpp"
#include "archive/records.hpp"

namespace kevolve::archive {

/// A field of which the two have different values, as they are written.
struct FieldDifference {
  std::string field;                ///< "BLOCK", "launches[0].grid[0]"
  std::optional<std::string> a, b;  ///< absent: it has none
};

/// Times of both at one place where results compare. They come from different evaluations: A's are as
/// measured, B's are on A's scale (CommonScale), so that times and speed-ups agree.
struct TimeDifference {
  struct Time {
    EvaluationId evaluation;
    Figure figure = Figure::search;
    double median_us = 0, low_us = 0, high_us = 0, speedup = 0, speedup_low = 0;
    bool refuted = false;
  };
  std::string workload, yardstick;
  DeviceInfo device;
  PrecisionClass precision = PrecisionClass::strict_fp32;
  Time a, b;
  [[nodiscard]] bool apart() const;  ///< the intervals do not overlap
};

struct KernelDifference {
  std::vector<FieldDifference> tunables;
  std::vector<FieldDifference> plan;  ///< the rest of the headers: launches, scratch, constraints, …
  bool same_idea = false;
  Kinship kinship;
  std::vector<TimeDifference> times;  ///< where both were timed
  std::string source_diff;            ///< unified; "" when the sources are equal
};

std::vector<FieldDifference> compare_fields(const Json& a, const Json& b);
/// Of two kernels of one operator version.
KernelDifference difference(const CandidateDetail& a, const CandidateDetail& b, Kinship kinship);

Json to_json(const KernelDifference& difference);

}  // namespace kevolve::archive
