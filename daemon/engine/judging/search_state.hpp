#pragma once
// SearchState: what all parts of the search for one operator at one workload share. Plain data; belongs to
// the engine's thread.

#include <string>

#include "archive/archive.hpp"
#include "core/model/job.hpp"
#include "core/search/standing.hpp"
#include "daemon/engine/judging/allowance.hpp"
#include "daemon/engine/report/observer.hpp"

namespace kevolve::engine {

/// What is searched for: a fast kernel of an operator, at one workload, on one device.
struct Problem {
  const Operator& op;
  std::string workload;
  DeviceInfo device;
  DeviceId device_id;
  OperatorId op_id = {};  ///< once the archive knows the operator

  /// What observers call it: "gelu", or "gelu/benchmark" where the workload is not "small".
  [[nodiscard]] std::string label() const;
  /// What speed-ups are against. It is timed beside every candidate: on a GPU PyTorch, which is fast enough
  /// for that and is what users compare with; on the cpu device the naive kernel.
  [[nodiscard]] std::string yardstick() const { return device.traits().yardstick; }
  /// Where results compare with each other.
  [[nodiscard]] archive::ResultKey key() const;
  [[nodiscard]] archive::RankingQuery ranking(int top) const;
};

struct RunIdentity {
  const Job& job;
  JobId job_id;
  RunId run_id;
};

struct SearchState {
  archive::Archive& archive;
  Observer& observer;
  Allowance& allowance;
  const RunIdentity run;
  Problem problem;
  search::Standing standing = {};

  [[nodiscard]] std::uint64_t job_seed() const { return static_cast<std::uint64_t>(run.job.seed); }
  /// For the observer.
  [[nodiscard]] OperatorSummary summary() const;
};

/// An evaluation's median time of a subject; 0 when it was not timed.
double median_us_of(const Evaluation& evaluation, std::string_view subject);

}  // namespace kevolve::engine
