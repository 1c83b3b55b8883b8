#pragma once
// What `kevolve report` and GET /v1/jobs/{name}/report answer: what became of a job. Belongs to the archive's
// thread.

#include <optional>
#include <string>
#include <vector>

#include "archive/archive.hpp"

namespace kevolve::answers {

struct JobReport {
  archive::JobRecord job;
  archive::Funnel funnel;
  std::vector<archive::RoundBest> rounds;
  std::vector<archive::JobChampion> champions;
  std::vector<archive::CostRecord> costs;
};

/// Puts the times of each operator's rounds at one workload on the scale of the fastest (CommonScale).
void put_on_common_scale(std::vector<archive::RoundBest>& rounds);

/// Nothing when the archive has no such job. The rounds' times are on a common scale.
Result<std::optional<JobReport>> answer_report(archive::Archive& archive, const std::string& job);

Json to_json(const JobReport& report);

}  // namespace kevolve::answers
