#pragma once
// IdeaSource: where ideas come from, and who carries them out: the playbook, a model, or something that does
// not chat at all, such as a mutator or a coding agent.
//
// A source may write an idea's candidates when it proposes the idea (the playbook), or afterwards, from their
// verdicts (a model). Candidates that come with an idea are judged by the round. Everything a source does
// must be repeatable from the archive's rows, since a run may be killed at any moment and asks again.
//
// A new kind of source is one file that implements this interface and one line in idea_sources.cpp; its kind
// and its settings also belong in config/schema/job.schema.json and docs/job_file.md. Belongs to the engine's
// thread.

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/search/idea.hpp"
#include "daemon/engine/judging/judge_desk.hpp"
#include "daemon/engine/judging/search_state.hpp"

namespace kevolve::engine {

class Exchanges;

/// What a source knows of a round, and may use in it.
struct RoundScope {
  SearchState& search;
  const archive::RoundRecord& round;
  search::RoundContext& known;                          ///< when the round began
  const std::map<std::string, CandidateId>& known_ids;  ///< of the survivors in `known`, by candidate hash
  Exchanges& exchanges;                                 ///< with models
  JudgeDesk& desk;
};

/// An idea that is to become a row, with the candidates that carry it out already.
struct Proposal {
  archive::NewIdea idea;
  std::vector<archive::NewCandidate> candidates = {};
};

class IdeaSource {
 public:
  /// `name`: as archived with its ideas, and in the job file its kind. `weight`: its share of a round's
  /// ideas.
  IdeaSource(std::string name, double weight) : name_(std::move(name)), weight_(weight) {}
  virtual ~IdeaSource() = default;
  IdeaSource(const IdeaSource&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] double weight() const { return weight_; }
  /// Why it proposes nothing more in this run; "" while it does.
  [[nodiscard]] virtual std::string out_of_use() const { return ""; }
  /// True when it also fills what other sources left of a round's ideas. It is then asked after them.
  [[nodiscard]] virtual bool fills_up() const { return false; }

  /// At most `count` distinct ideas. Writes nothing but exchanges. `siblings`: texts of ideas that were
  /// proposed for this round already; the source's own are added.
  virtual boost::asio::awaitable<Result<std::vector<Proposal>>> propose(
      RoundScope& scope, int count, std::vector<std::string>& siblings) = 0;

  /// Writes further candidates of one of its ideas and has them judged. Returns those that got a verdict.
  /// `ideas`: all of the round.
  virtual boost::asio::awaitable<Result<std::vector<Judged>>> carry_out(
      RoundScope& /*scope*/, const archive::IdeaRecord& /*idea*/,
      const std::vector<archive::IdeaRecord>& /*ideas*/) {
    co_return std::vector<Judged>{};
  }

  enum class Stop {
    gently,  ///< work that is paid for may still end
    now,
  };
  /// No more work. What waits returns soon.
  virtual void stop(Stop /*how*/) {}

 private:
  const std::string name_;
  const double weight_;
};

}  // namespace kevolve::engine
