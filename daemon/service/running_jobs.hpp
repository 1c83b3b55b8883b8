#pragma once
// RunningJobs: the jobs of a service that run, from the queue to their end, and the pools that they share. It
// decides which queued job is next, and writes each job's state where the run itself could not. Belongs to
// the service's thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "archive/archive.hpp"
#include "daemon/engine/job/admission.hpp"
#include "daemon/engine/job/job_run.hpp"
#include "daemon/service/notifier.hpp"
#include "daemon/service/pools.hpp"
#include "daemon/service/service_observer.hpp"

namespace kevolve::service {

struct ServiceParts {
  boost::asio::io_context& io;
  archive::Archive& archive;  ///< opened for writing, exclusively
  EventLog& events;
  std::string version;                           ///< of this program
  llm::TakenKeys keys;                           ///< of models, from the environment
  std::function<Result<DaemonSettings>()> load;  ///< reads the configuration again
  std::function<void()> ended;                   ///< drained, or stopped: nothing more will happen
};

struct ActiveJob {
  enum class Intent { none, pause, cancel, drain };
  archive::JobRecord record;
  std::unique_ptr<engine::IdeaSources> ideas;
  std::unique_ptr<ServiceObserver> observer;
  std::shared_ptr<engine::JobRun> run;
  Intent intent = Intent::none;  ///< why it is being stopped

  /// `how` now, or when replies that are on their way have had their time. The job ends later.
  void stop(Intent why, engine::JobRun::Stop how);
};

class RunningJobs {
 public:
  /// The parts must outlive the jobs.
  RunningJobs(ServiceParts& parts, DaemonSettings settings);

  /// Continues what was queued or running when the service ended. Once.
  Result<void> start();
  /// Starts queued jobs while there is room.
  void start_next();
  /// Those of before run on with the pools that they have.
  void configure(DaemonSettings settings);
  /// By name; nullptr: it does not run.
  [[nodiscard]] ActiveJob* find(const std::string& name);
  [[nodiscard]] const DaemonSettings& settings() const { return settings_; }
  [[nodiscard]] const Pools& pools() const { return pools_; }
  [[nodiscard]] EventSink& sink() { return sink_; }
  /// For admit_job(): `archive` only where the author of a job is there to correct it.
  [[nodiscard]] engine::ServiceLimits limits() const;

  void drain();
  void stop_now();
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  [[nodiscard]] Result<std::optional<archive::JobRecord>> next() const;
  /// The job's row, for which there is room, begins to run; what it needs may be missing.
  Result<void> begin(const archive::JobRecord& job);
  void end(const std::string& name, const Result<engine::RunSummary>& result);
  void conclude(ActiveJob& job, const Result<engine::RunSummary>& result);
  void summarise(const ActiveJob& job, const Result<engine::RunSummary>& result);
  void hear(const engine::PoolNews& news);
  void end_if_drained();

  ServiceParts& parts_;
  DaemonSettings settings_;
  EventSink sink_;
  Notifier notifier_;
  Pools pools_;
  std::map<std::string, ActiveJob> active_;  ///< by name
  bool draining_ = false, ended_ = false;
  boost::asio::steady_timer drain_limit_;
};

}  // namespace kevolve::service
