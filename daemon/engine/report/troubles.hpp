#pragma once
// TroubleCollector: passes everything on to another observer, and remembers what was warned of, for the
// summary of a run.

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/engine/report/observer.hpp"

namespace kevolve {

class TroubleCollector final : public Observer {
 public:
  static constexpr std::size_t kMost = 100;

  explicit TroubleCollector(Observer& next) : next_(next) {}

  /// Each once, in the order in which they came; of more than kMost the first.
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }
  void note(std::string_view what) {
    if (troubles_.size() < kMost && std::find(troubles_.begin(), troubles_.end(), what) == troubles_.end())
      troubles_.emplace_back(what);
  }

  void run_started(const Job& job, const DeviceInfo& device) override { next_.run_started(job, device); }
  void seeded(const OperatorSummary& naive) override { next_.seeded(naive); }
  void round_started(std::string_view op, int round, const std::vector<std::string>& ideas) override {
    next_.round_started(op, round, ideas);
  }
  void evaluated(std::string_view op, int round, std::string_view candidate, std::string_view idea_key,
                 const Evaluation& evaluation) override {
    next_.evaluated(op, round, candidate, idea_key, evaluation);
  }
  void exchanged(std::string_view op, int round, const NewExchange& exchange) override {
    next_.exchanged(op, round, exchange);
  }
  void promoted(const OperatorSummary& champion) override { next_.promoted(champion); }
  void operator_stopped(const OperatorSummary& summary) override { next_.operator_stopped(summary); }
  void warned(std::string_view what) override {
    note(what);
    next_.warned(what);
  }
  void troubled(std::string_view what) override {
    note(what);
    next_.troubled(what);
  }
  void noted(std::string_view what) override { next_.noted(what); }
  void run_ended(const RunSummary& summary) override { next_.run_ended(summary); }

 private:
  Observer& next_;
  std::vector<std::string> troubles_;
};

}  // namespace kevolve
