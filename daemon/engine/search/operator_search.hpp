#pragma once
// OperatorSearch: the search for one operator at one workload, round by round, over the archive's rows.
//
//   seed()   judges naive.cu, the first champion, unless the archive has its verdict already
//   round()  RoundContextBuilder → Round (ideas → candidates → verdicts) → Promoter
//
//          IdeaSource        who proposes and carries out ideas    daemon/engine/ideas
//   Round ─ JudgeDesk        who gets candidates judged            daemon/engine/judging
//          Promoter          who makes a contender champion        decides by core/search/promotion.hpp
//
// Belongs to the engine's thread. Not movable: its parts refer to each other.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/judging/worker_desk.hpp"
#include "daemon/engine/search/promoter.hpp"
#include "daemon/engine/search/round_context.hpp"

namespace kevolve::engine {

/// What all searches of a run share.
struct SearchEnvironment {
  boost::asio::io_context& io;
  archive::Archive& archive;
  WorkerShare& workers;
  IdeaSources& ideas;
  Exchanges& exchanges;
  Observer& observer;
  Allowance& allowance;
  RunIdentity run;
  DeviceInfo device;
  DeviceId device_id;
  OperatorFinder find_operator;  ///< for inspirations of other operators
};

class OperatorSearch {
 public:
  /// Both references must outlive the search.
  OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload);
  OperatorSearch(const OperatorSearch&) = delete;

  boost::asio::awaitable<Result<void>> seed();
  /// One whole round, or the rest of an unfinished one. After it, stopped() may be true.
  boost::asio::awaitable<Result<void>> round();

  [[nodiscard]] bool stopped() const { return !search_.standing.stop_reason.empty(); }
  /// Rounds of the job's present series, over all of its runs.
  [[nodiscard]] int rounds_done() const { return search_.standing.rounds_done; }
  [[nodiscard]] OperatorSummary summary() const { return search_.summary(); }

 private:
  boost::asio::awaitable<Result<Evaluation>> judge_naive(search::Champion& naive);
  Result<archive::CandidateRecord> enter_naive(const search::Champion& naive);
  void note_stop();

  SearchEnvironment& environment_;
  SearchState search_;
  WorkerDesk desk_;
  RoundContextBuilder context_;
  Promoter promoter_;
};

}  // namespace kevolve::engine
