#pragma once
// JobRun: one run of a job, among others on one io_context. It owns the search's state; what the next round
// needs is in the archive's rows, never only in memory, so a job that was killed at any moment continues from
// them.
//
// The thread of the io_context runs everything, and is the archive's only writer. Compilers, kernels and idea
// sources that block are elsewhere.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/job/preparation.hpp"
#include "daemon/engine/report/observer.hpp"
#include "daemon/engine/report/troubles.hpp"
#include "daemon/engine/search/operator_search.hpp"
#include "daemon/engine/workers/worker_pool.hpp"

namespace kevolve {

class JobRun : public std::enable_shared_from_this<JobRun> {
 public:
  enum class Stop {
    gently,  ///< nothing new; what workers have is judged, replies under way have kGrace to arrive
    now,     ///< nothing is waited for
  };

  /// `version`: of this program, archived with the run. All references must outlive the run.
  JobRun(boost::asio::io_context& io, PreparedJob prepared, std::string version, Archive& archive,
         IdeaSources& ideas, std::shared_ptr<WorkerShare> workers, Observer& observer);

  /// To the job's end, or until it is stopped: `ended_by` is then "interrupted". The job's state is in the
  /// archive when this returns, but for one that was stopped, which is for the caller to name. Budgets go on
  /// from where an interrupted run of the same job left them.
  boost::asio::awaitable<Result<RunSummary>> execute();
  void stop(Stop how);
  void reweigh(double weight) { workers_->reweigh(weight); }
  /// Of its workers, which the observer heard of from elsewhere: for the summary.
  void note_trouble(std::string_view what) { observer_.note(what); }

  [[nodiscard]] Usage used() const;  ///< of the present budget
  [[nodiscard]] std::vector<OperatorSummary> operators() const;
  [[nodiscard]] const PreparedJob& prepared() const { return prepared_; }
  [[nodiscard]] const WorkerShare& workers() const { return *workers_; }
  [[nodiscard]] bool began() const { return environment_.has_value(); }
  [[nodiscard]] int evaluations() const {
    return environment_ ? environment_->evaluations : 0;
  }  ///< of this run
  [[nodiscard]] const std::vector<std::string>& troubles() const { return observer_.troubles(); }
  /// Endpoints whose servers do not answer at present.
  [[nodiscard]] const std::set<std::string>& away() const { return away_; }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<Result<void>> search(SearchEnvironment& environment);
  /// Looks after the run until it has ended: passes on news of backends, keeps the clock, stops what waits.
  static boost::asio::awaitable<void> attend(std::shared_ptr<JobRun> self);
  void look_after(double passed_seconds);
  /// The job's and the run's rows, and with them environment_ and exchanges_.
  Result<void> begin(const DeviceInfo& device);
  boost::asio::awaitable<Result<RunSummary>> conclude(Result<void> searched);
  [[nodiscard]] std::string spent_budget() const { return spent_limit(prepared_.job.budget, used()); }
  [[nodiscard]] double elapsed_seconds() const;
  void pass_on_news();
  void stop_backends(bool all);

  boost::asio::io_context& io_;
  const PreparedJob prepared_;
  const std::string version_;
  Archive& archive_;
  IdeaSources& ideas_;
  const std::shared_ptr<WorkerShare> workers_;
  TroubleCollector observer_;
  const Clock::time_point started_ = Clock::now();
  std::optional<Stop> stopped_;
  Clock::time_point stopped_at_;
  bool ended_ = false;
  std::vector<OperatorSearch> searches_;
  std::optional<SearchEnvironment> environment_;
  std::optional<Exchanges> exchanges_;
  Usage before_;                ///< by earlier runs of the present budget
  double paused_seconds_ = 0;   ///< nothing could go on but for an outage
  std::set<std::string> away_;  ///< endpoints in an outage
  boost::asio::steady_timer tick_;
};

}  // namespace kevolve
