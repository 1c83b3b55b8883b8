#pragma once
// Reading and writing of the rows that several operations share. Inside a transaction; failures throw.

#include <optional>
#include <string>
#include <vector>

#include "archive/connection.hpp"
#include "archive/records.hpp"

namespace kevolve::archive {

/// The row of a text that is stored once by its content, entered if new: packed where that saves space.
enum class TextTable { sources, prompt_texts };
std::int64_t text_row(Connection& connection, TextTable table, const std::string& text);

/// The device's row, entered if new.
DeviceId device_row(Connection& connection, const DeviceInfo& device, Timestamp now);

IdeaRecord read_idea(Connection& connection, IdeaId id);
CandidateRecord read_candidate(Connection& connection, CandidateId id);
std::vector<ParentRecord> read_parents(Connection& connection, CandidateId child);  ///< in their order

/// The evaluation with its measurements and profile; its operator is the candidate's.
EvaluationId insert_evaluation(Connection& connection, const NewEvaluation& evaluation, OperatorId op,
                               DeviceId device, Timestamp now);
EvaluationRecord read_evaluation(Connection& connection, EvaluationId id);

std::optional<Profile> read_profile(Connection& connection, EvaluationId id);

}  // namespace kevolve::archive
