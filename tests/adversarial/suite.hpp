#pragma once
// The adversarial suite: candidates of tests/adversarial with what the gates must say of each, as
// expectations.json lists them. Honest kernels must pass; each wrong one must be stopped, at the named gate
// and for a named reason. Plain data; errors are the suite's own mistakes and fail the test.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"

namespace kevolve::adversarial {

struct Case {
  std::string file;             ///< below tests/adversarial, also the request's id
  std::string operator_folder;  ///< below the repository
  Json axes;                    ///< overrides the workload `small`; null: as the operator has it
  std::optional<Gate> gate;     ///< nothing: any gate may stop it
  std::set<Outcome> outcomes;
  std::string why;  ///< row of the trust list and what the candidate does; "honest"

  [[nodiscard]] bool honest() const { return why == "honest"; }
};

Result<std::vector<Case>> load_cases();

/// The same with gpu_expectations.json, which lists what a GPU does not see, or sees elsewhere, and why.
Result<std::vector<Case>> load_cases_for_gpu();

/// Those for the device of this run: KEVOLVE_TEST_DEVICE, or the cpu device.
Result<std::vector<Case>> load_cases_for_device();

/// Files of the folder that end in .cu, as Case::file names them.
std::set<std::string> candidate_files();

/// What is sent to the worker: default tunables, all gates up to timing, few samples.
Result<EvaluateRequest> request_for(const Case& test);

/// Starts one kevolve-worker, sends one line a case and returns the replies in the order of `cases`.
Result<std::vector<WorkerReply>> judge_all(const std::vector<Case>& cases);

/// Nothing when `reply` is what `test` expects, otherwise what differs.
std::optional<std::string> disagreement(const Case& test, const WorkerReply& reply);

}  // namespace kevolve::adversarial
