#pragma once
// JobRun: one run of a job, among others on one io_context. It owns the search's state. All that the next
// round needs is in the archive's rows, so a job that was killed at any moment continues from them.
//
// The thread of the io_context runs everything, and is the archive's only writer. Compilers, kernels and idea
// sources that block run elsewhere.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/job/budget_clock.hpp"
#include "daemon/engine/job/outages.hpp"
#include "daemon/engine/job/preparation.hpp"
#include "daemon/engine/report/observer.hpp"
#include "daemon/engine/report/troubles.hpp"
#include "daemon/engine/search/operator_search.hpp"
#include "daemon/engine/workers/worker_pool.hpp"

namespace kevolve::engine {

class JobRun : public std::enable_shared_from_this<JobRun> {
 public:
  enum class Stop {
    gently,  ///< starts nothing new; workers finish what they have, replies on their way have a minute
    now,     ///< waits for nothing
  };
  struct Parts {
    PreparedJob prepared;
    std::string version;  ///< of this program, archived with the run
    archive::Archive& archive;
    IdeaSources& ideas;
    std::shared_ptr<WorkerShare> workers;
  };

  /// All references must outlive the run.
  JobRun(boost::asio::io_context& io, Parts parts, Observer& observer);

  /// To the job's end, or until it is stopped: `ended_by` is then "interrupted". When this returns, the
  /// archive has the job's state, except of one that was stopped: its state is for the caller to set. A
  /// budget continues where an interrupted run of the same job left it.
  boost::asio::awaitable<Result<RunSummary>> execute();
  void stop(Stop how);
  void reweigh(double weight) { parts_.workers->reweigh(weight); }
  /// For the summary: trouble of its workers, which the observer heard of from elsewhere.
  void note_trouble(std::string_view what) { observer_.note(what); }

  [[nodiscard]] search::Usage used() const;  ///< of the present budget
  [[nodiscard]] std::vector<OperatorSummary> operators() const;
  [[nodiscard]] const WorkerShare& workers() const { return *parts_.workers; }
  [[nodiscard]] bool began() const { return environment_.has_value(); }
  /// Of this run.
  [[nodiscard]] int evaluations() const { return allowance_.taken(); }
  [[nodiscard]] const std::vector<std::string>& troubles() const { return observer_.troubles(); }
  /// Endpoints whose servers do not answer at present.
  [[nodiscard]] const std::set<std::string>& away() const { return outages_.away(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Stopping {
    Stop how;
    Clock::time_point since;
  };

  boost::asio::awaitable<Result<void>> search(SearchEnvironment& environment);
  /// Looks after the run until it has ended: passes on news of backends, keeps the clock, stops what waits.
  static boost::asio::awaitable<void> attend(std::shared_ptr<JobRun> self);
  void look_after(double passed_seconds);
  /// The job's and the run's rows, and with them environment_ and exchanges_.
  Result<void> begin(const DeviceInfo& device);
  Result<RunSummary> conclude(const Result<void>& searched);
  Result<void> write_end(const Result<void>& searched, const std::string& ended_by);
  [[nodiscard]] std::string spent_budget() const {
    return search::spent_limit(parts_.prepared.job.budget, used());
  }
  void stop_backends(bool all);

  boost::asio::io_context& io_;
  const Parts parts_;
  TroubleCollector observer_;
  BudgetClock clock_;
  Outages outages_;
  std::optional<Stopping> stopped_;
  bool ended_ = false;
  Allowance allowance_;
  std::deque<OperatorSearch> searches_;
  std::optional<SearchEnvironment> environment_;
  std::optional<Exchanges> exchanges_;
  boost::asio::steady_timer tick_;
};

}  // namespace kevolve::engine
