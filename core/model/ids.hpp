#pragma once
// Row numbers of the archive's tables, one type each, so that a candidate's cannot be passed for a round's.
// Valid within one archive file only; across files candidates are told by their hash. Values.

#include <compare>
#include <cstdint>

namespace kevolve {

template <class Tag>
struct Id {
  std::int64_t value = 0;  ///< 0: none
  auto operator<=>(const Id&) const = default;
};

using OperatorId = Id<struct OperatorTag>;  ///< one version (document) of an operator
using DeviceId = Id<struct DeviceTag>;
using JobId = Id<struct JobTag>;
using RunId = Id<struct RunTag>;
using RoundId = Id<struct RoundTag>;
using IdeaId = Id<struct IdeaTag>;
using CandidateId = Id<struct CandidateTag>;
using ExchangeId = Id<struct ExchangeTag>;
using EvaluationId = Id<struct EvaluationTag>;

}  // namespace kevolve
