#pragma once
// The summary of a job: what one would like to read in the morning. JobSummary holds the facts,
// summary_markdown() is pure, gather_summary() takes them from the archive and from what the run said.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "core/search/budget.hpp"
#include "daemon/engine/report/observer.hpp"

namespace kevolve::engine {

struct JobSummary {
  archive::JobRecord job;
  std::optional<DeviceInfo> device;
  JobBudget budget;
  search::Usage used;                      ///< of the present budget
  std::vector<OperatorSummary> operators;  ///< of the run that ended
  std::vector<archive::RoundBest> rounds;  ///< of all runs
  archive::Funnel funnel;
  struct Failure {
    std::string operator_name;
    Gate gate = Gate::policy;
    Outcome outcome = Outcome::passed;
    std::int64_t count = 0;
    std::string example, evidence;  ///< the newest: candidate's hash, evidence
  };
  std::vector<Failure> failures;
  std::vector<archive::CostRecord> costs;
  std::vector<std::string> troubles;
  std::filesystem::path archive;
};

std::string summary_markdown(const JobSummary& report);

/// What the archive has of the job. Its run adds device, operators, use and troubles.
Result<JobSummary> gather_summary(archive::Archive& archive, const std::string& job);
void add_run(JobSummary& report, const RunSummary& run);

/// Written beside the file and renamed: whoever reads it finds all of it. Makes the folder.
Result<void> write_summary(const JobSummary& report, const std::filesystem::path& file);

}  // namespace kevolve::engine
