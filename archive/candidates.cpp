// Ideas and candidates of an Archive.

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"
#include "core/model/candidate.hpp"

namespace kevolve::archive {
namespace {

CandidateId insert_candidate(Connection& connection, IdeaId idea, const NewCandidate& candidate,
                             Timestamp now) {
  Statement(connection, R"sql(
      INSERT INTO candidates (idea, round, operator, source, candidate_hash, tunables, state, created_at_ms,
                              exchange)
      SELECT id, round, operator, ?2, ?3, ?4, ?5, ?6, ?7 FROM ideas WHERE id = ?1)sql")
      .bind(idea, text_row(connection, TextTable::sources, candidate.source),
            candidate_hash(candidate.source, candidate.tunables), Json(candidate.tunables),
            CandidateState::proposed, now, candidate.exchange)
      .run();
  const CandidateId id{connection.last_row_id()};
  int ordinal = 0;
  for (const ParentRecord& parent : candidate.parents) {
    Statement(connection, "INSERT INTO lineage VALUES (?1, ?2, ?3, ?4)")
        .bind(id, ordinal++, parent.candidate, parent.relation)
        .run();
  }
  return id;
}

std::vector<CandidateRecord> read_candidates(Connection& connection, std::string_view sql, RoundId round) {
  Statement query(connection, sql);
  query.bind(round);
  std::vector<CandidateRecord> candidates;
  while (query.step()) {
    CandidateId id;
    query.read(id);
    candidates.push_back(read_candidate(connection, id));
  }
  return candidates;
}

}  // namespace

Result<IdeaId> Archive::add_idea(const NewIdea& idea) {
  return impl_->write([&] {
    Statement(impl_->connection, R"sql(
        INSERT INTO ideas (operator, round, source, key, text, bottleneck, predicted_us, exchange, created_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))sql")
        .bind(idea.op, idea.round, idea.source, idea.key, idea.text, idea.bottleneck, idea.predicted_us,
              idea.exchange, impl_->now())
        .run();
    const IdeaId id{impl_->connection.last_row_id()};
    int ordinal = 0;
    for (const CandidateId parent : idea.parents) {
      Statement(impl_->connection, "INSERT INTO idea_parents VALUES (?1, ?2, ?3)")
          .bind(id, ordinal++, parent)
          .run();
    }
    return id;
  });
}

Result<std::vector<CandidateId>> Archive::add_candidates(IdeaId idea,
                                                         const std::vector<NewCandidate>& candidates) {
  return impl_->write([&] {
    (void)read_idea(impl_->connection, idea);  // fails when there is no such idea
    std::vector<CandidateId> ids;
    for (const NewCandidate& candidate : candidates) {
      ids.push_back(insert_candidate(impl_->connection, idea, candidate, impl_->now()));
    }
    return ids;
  });
}

Result<std::vector<IdeaRecord>> Archive::ideas(RoundId round) {
  return impl_->read([&] {
    Statement query(impl_->connection, "SELECT id FROM ideas WHERE round = ?1 ORDER BY id");
    query.bind(round);
    std::vector<IdeaRecord> ideas;
    while (query.step()) {
      IdeaId id;
      query.read(id);
      ideas.push_back(read_idea(impl_->connection, id));
    }
    return ideas;
  });
}

Result<std::vector<CandidateRecord>> Archive::candidates(RoundId round) {
  return impl_->read([&] {
    return read_candidates(impl_->connection, "SELECT id FROM candidates WHERE round = ?1 ORDER BY id",
                           round);
  });
}

Result<std::vector<CandidateRecord>> Archive::unfinished_candidates(RoundId round) {
  return impl_->read([&] { return read_candidates(impl_->connection, queries::kUnfinished, round); });
}

Result<CandidateRecord> Archive::candidate(CandidateId id) {
  return impl_->read([&] { return read_candidate(impl_->connection, id); });
}

Result<std::optional<CandidateRecord>> Archive::find_candidate(IdeaId idea, std::string_view candidate_hash) {
  return impl_->read([&]() -> std::optional<CandidateRecord> {
    Statement query(impl_->connection,
                    "SELECT id FROM candidates WHERE idea = ?1 AND candidate_hash = ?2 ORDER BY id LIMIT 1");
    if (!query.bind(idea, candidate_hash).step()) return std::nullopt;
    CandidateId id;
    query.read(id);
    return read_candidate(impl_->connection, id);
  });
}

Result<std::optional<CandidateRecord>> Archive::seed_candidate(OperatorId op,
                                                               std::string_view candidate_hash) {
  return impl_->read([&]() -> std::optional<CandidateRecord> {
    Statement query(impl_->connection, queries::kSeedCandidate);
    if (!query.bind(op, candidate_hash).step()) return std::nullopt;
    CandidateId id;
    query.read(id);
    return read_candidate(impl_->connection, id);
  });
}

Result<void> Archive::mark_evaluating(CandidateId candidate) {
  return impl_->write([&] {
    Statement(impl_->connection, "UPDATE candidates SET state = ?2 WHERE id = ?1 AND state = ?3")
        .bind(candidate, CandidateState::evaluating, CandidateState::proposed)
        .run();
  });
}

}  // namespace kevolve::archive
