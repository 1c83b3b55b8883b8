#pragma once
// The summary of a job: what one would like to read in the morning. JobReport holds the facts,
// summary_markdown() is pure, gather_report() takes them from the archive and from what the run said.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "core/search/budget.hpp"
#include "daemon/observer.hpp"

namespace kevolve {

struct JobReport {
  JobRecord job;
  std::optional<DeviceInfo> device;
  JobBudget budget;
  Usage used;                              ///< of the present budget
  std::vector<OperatorSummary> operators;  ///< of the run that ended
  std::vector<RoundBest> rounds;           ///< of all runs
  Funnel funnel;
  struct Failure {
    std::string operator_name;
    Gate gate = Gate::policy;
    Outcome outcome = Outcome::passed;
    std::int64_t count = 0;
    std::string example, evidence;  ///< the newest: candidate's hash, evidence
  };
  std::vector<Failure> failures;
  std::vector<CostRecord> costs;
  std::vector<std::string> troubles;
  std::filesystem::path archive;
};

std::string summary_markdown(const JobReport& report);

/// What the archive has of the job. Its run adds device, operators, use and troubles.
Result<JobReport> gather_report(Archive& archive, const std::string& job);
void add_run(JobReport& report, const RunSummary& run);

/// Written beside the file and renamed: whoever reads it finds all of it. Makes the folder.
Result<void> write_summary(const JobReport& report, const std::filesystem::path& file);

}  // namespace kevolve
