// Why candidates fail, by gate and outcome, with evidence.

#include <algorithm>
#include <tuple>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"

namespace kevolve::archive {
namespace {

std::vector<FailureGroup::Example> examples(Connection& connection, const FailureGroup& group,
                                            OperatorId newest, int limit) {
  Statement rows(connection, queries::kFailureExamples);
  rows.bind(newest, group.gate, group.outcome, limit);
  std::vector<FailureGroup::Example> found;
  while (rows.step()) {
    FailureGroup::Example& example = found.emplace_back();
    rows.read(example.candidate, example.candidate_hash, example.workload, example.evidence,
              example.evaluated_at);
  }
  return found;
}

}  // namespace

Result<std::vector<FailureGroup>> Archive::failures(const FailureQuery& query) {
  return impl_->read([&] {
    Statement rows(impl_->connection, queries::kFailures);
    rows.bind(query.operator_name, query.gate);
    std::vector<FailureGroup> groups;
    while (rows.step()) {
      FailureGroup& group = groups.emplace_back();
      OperatorId newest;
      rows.read(group.operator_name, group.gate, group.outcome, group.count, newest);
      group.examples = examples(impl_->connection, group, newest, query.examples);
    }
    std::ranges::stable_sort(groups, [](const FailureGroup& a, const FailureGroup& b) {
      return std::tie(a.operator_name, a.gate) < std::tie(b.operator_name, b.gate);
    });
    return groups;
  });
}

Result<std::vector<FailureGroup>> Archive::job_failures(JobId job) {
  return impl_->read([&] {
    Statement rows(impl_->connection, queries::kJobFailures);
    rows.bind(job);
    std::vector<FailureGroup> groups;
    while (rows.step()) {
      FailureGroup& group = groups.emplace_back();
      FailureGroup::Example& newest = group.examples.emplace_back();
      rows.read(group.operator_name, group.gate, group.outcome, group.count, newest.candidate,
                newest.candidate_hash, newest.workload, newest.evidence, newest.evaluated_at);
    }
    return groups;
  });
}

Json to_json(const FailureGroup& group) {
  Json examples = Json::array();
  for (const FailureGroup::Example& example : group.examples) {
    examples.push_back({{"candidate", example.candidate.value},
                        {"candidate_hash", example.candidate_hash},
                        {"workload", example.workload},
                        {"evidence", example.evidence},
                        {"evaluated_at", to_iso8601(example.evaluated_at)}});
  }
  return {{"operator", group.operator_name},
          {"gate", name(group.gate)},
          {"outcome", name(group.outcome)},
          {"count", group.count},
          {"examples", std::move(examples)}};
}

}  // namespace kevolve::archive
