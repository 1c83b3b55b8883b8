#pragma once
// Standings: how each kernel stands where results compare, kept up to date as evaluations arrive, so that
// `best` need not look at all of them. The rules are in docs/archive_schema.md, "Standings".

#include <string_view>

#include "archive/connection.hpp"
#include "archive/records.hpp"

namespace kevolve::archive {

struct JudgedKernel {
  EvaluationId evaluation;
  CandidateId candidate;
  std::string_view candidate_hash;
  OperatorId op;
  DeviceId device;
};

void update_standings(Connection& connection, const JudgedKernel& kernel, const NewEvaluation& evaluation);

/// True when a later evaluation took back that such a candidate is right there.
bool is_refuted(Connection& connection, std::string_view candidate_hash, OperatorId op,
                std::string_view workload, DeviceId device);

/// Outcomes that say nothing about whether the kernel is right.
bool is_neutral(Outcome outcome);

}  // namespace kevolve::archive
