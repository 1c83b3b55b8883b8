// How things came to be, in an Archive: candidates, ideas and how they fared, rounds.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"
#include "core/text/words.hpp"

namespace kevolve::archive {
namespace {

constexpr std::size_t kShortestPrefix = 4;

CandidateId by_number(std::string_view text) {
  CandidateId id;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), id.value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw ArchiveFailure(fmt::format("'{}' is not a candidate: expected a number after '#'.", text));
  }
  return id;
}

CandidateId by_hash_prefix(Connection& connection, std::string_view text) {
  const std::string prefix = lower(text);
  const bool is_hex = std::ranges::all_of(prefix, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (prefix.size() < kShortestPrefix || !is_hex) {
    throw ArchiveFailure(
        fmt::format("'{}' is not a candidate: expected at least {} hexadecimal digits of its hash, or "
                    "'#' and its number.",
                    text, kShortestPrefix));
  }
  Statement query(connection, queries::kByHashPrefix);
  query.bind(prefix, prefix + "g");  // past every hexadecimal digit
  std::vector<std::string> hashes;
  CandidateId first;
  while (query.step()) {
    CandidateId id;
    query.read(hashes.emplace_back(), id);
    if (hashes.size() == 1) first = id;
  }
  if (hashes.empty()) throw ArchiveFailure(fmt::format("no candidate's hash starts with '{}'.", text));
  if (hashes.size() > 1) {
    std::string list;
    for (const std::string& hash : hashes) list += "\n  " + hash.substr(0, 16);
    throw ArchiveFailure(fmt::format("'{}' is ambiguous; give more digits of one of:{}{}", text, list,
                                     hashes.size() == 6 ? "\n  …" : ""));
  }
  return first;
}

Funnel read_funnel(Statement& query) {
  Funnel funnel;
  while (query.step()) {
    CandidateState state{};
    std::optional<Gate> gate;
    std::optional<Outcome> outcome;
    int count = 0;
    query.read(state, gate, outcome, count);
    (state == CandidateState::proposed     ? funnel.proposed
     : state == CandidateState::evaluating ? funnel.evaluating
                                           : funnel.evaluated) += count;
    if (gate && outcome) funnel.stops.push_back({*gate, *outcome, count});
  }
  std::ranges::sort(funnel.stops, {},
                    [](const Funnel::Stop& stop) { return std::pair(stop.gate, stop.outcome); });
  return funnel;
}

std::vector<StandingRecord> read_standings(Connection& connection, OperatorId op, std::string_view hash) {
  Statement query(connection, queries::kStandingsOfHash);
  query.bind(op, hash);
  std::vector<StandingRecord> standings;
  while (query.step()) {
    StandingRecord& s = standings.emplace_back();
    Json device;
    int refuted = 0;
    query.read(s.workload, s.yardstick, s.device, device, s.precision, refuted, s.evaluation, s.figure,
               s.speedup);
    s.refuted = refuted != 0;
    const auto info = device_from_json(device);
    if (!info) throw ArchiveFailure("a device's row: " + info.error().message);
    s.device_info = *info;
  }
  return standings;
}

CandidateDetail read_detail(Connection& connection, CandidateId id) {
  CandidateDetail detail;
  detail.candidate = read_candidate(connection, id);
  detail.idea = read_idea(connection, detail.candidate.idea);
  Statement op(connection, "SELECT name FROM operators WHERE id = ?1");
  op.bind(detail.candidate.op).step();
  op.read(detail.operator_name);
  Statement evaluations(connection, queries::kEvaluationsOfHash);
  evaluations.bind(detail.candidate.hash, detail.candidate.op);
  while (evaluations.step()) {
    EvaluationId evaluation;
    evaluations.read(evaluation);
    detail.evaluations.push_back(read_evaluation(connection, evaluation));
  }
  detail.standings = read_standings(connection, detail.candidate.op, detail.candidate.hash);
  return detail;
}

}  // namespace

Result<CandidateDetail> Archive::show(std::string_view id) {
  return impl_->read([&] {
    Connection& connection = impl_->connection;
    return read_detail(connection, id.starts_with('#') ? by_number(id) : by_hash_prefix(connection, id));
  });
}

Result<CandidateDetail> Archive::detail(CandidateId id) {
  return impl_->read([&] { return read_detail(impl_->connection, id); });
}

Result<std::string> Archive::idea_key(CandidateId candidate) {
  return impl_->read([&] {
    Statement query(impl_->connection,
                    "SELECT i.key FROM candidates c JOIN ideas i ON i.id = c.idea WHERE c.id = ?1");
    if (!query.bind(candidate).step()) {
      throw ArchiveFailure(fmt::format("there is no candidate #{}.", candidate.value));
    }
    std::string key;
    query.read(key);
    return key;
  });
}

Result<std::vector<LedgerRecord>> Archive::ledger(OperatorId op, std::optional<JobId> job) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kLedger);
    query.bind(op, job);
    std::vector<LedgerRecord> entries;
    while (query.step()) {
      LedgerRecord& entry = entries.emplace_back();
      Json outcomes;
      query.read(entry.idea, entry.round, entry.round_number, entry.workload, entry.source, entry.key,
                 entry.text, entry.predicted_us, entry.attempts, entry.evaluated, entry.passed,
                 entry.best_speedup, entry.best_us, outcomes, entry.last_failure);
      entry.outcomes = outcomes.get<std::map<std::string, int>>();
    }
    return entries;
  });
}

Result<Funnel> Archive::funnel(JobId job) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kFunnelOfJob);
    return read_funnel(query.bind(job));
  });
}

Result<Funnel> Archive::funnel(RoundId round) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kFunnelOfRound);
    return read_funnel(query.bind(round));
  });
}

Result<std::vector<RoundBest>> Archive::round_bests(JobId job) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kRoundBests);
    query.bind(job);
    std::vector<RoundBest> bests;
    while (query.step()) {
      RoundBest& best = bests.emplace_back();
      query.read(best.round.id, best.round.job, best.round.op, best.round.workload, best.round.number,
                 best.round.state, best.operator_name, best.candidate, best.speedup, best.median_us);
    }
    return bests;
  });
}

Result<std::vector<JobChampion>> Archive::job_champions(JobId job) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kJobChampions);
    query.bind(job);
    std::vector<JobChampion> champions;
    while (query.step()) {
      JobChampion& c = champions.emplace_back();
      int refuted = 0;
      query.read(c.operator_name, c.workload, c.device_model, c.precision, c.candidate, c.candidate_hash,
                 c.idea_text, c.speedup, c.promoted_at, c.changes, refuted);
      c.refuted = refuted != 0;
    }
    return champions;
  });
}

}  // namespace kevolve::archive
