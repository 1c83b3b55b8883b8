#pragma once
// JobService: runs the jobs of one archive over shared worker pools. Its thread is that of its io_context,
// and the archive's only writer.
//
//   submit ──► queued ──► running ──► finished, failed
//                 ▲          │ pause ──► paused     what is under way ends first
//                 └─ resume ─┴ cancel ─► cancelled  (docs/daemon.md has the picture)
//
// All that matters is in the archive: a service that is killed goes on with what was queued or running when
// it starts again. job_service.cpp answers requests, running_jobs.cpp starts and ends jobs.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "archive/archive.hpp"
#include "daemon/engine/job/job_run.hpp"
#include "daemon/service/notifier.hpp"
#include "daemon/service/pools.hpp"
#include "daemon/service/service.hpp"
#include "daemon/service/service_observer.hpp"

namespace kevolve {

class JobService final : public Service {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Archive& archive;  ///< opened for writing, exclusively
    EventLog& events;
    std::string version;                           ///< of this program
    TakenKeys keys;                                ///< of models, from the environment
    std::function<Result<DaemonSettings>()> load;  ///< reads the configuration again
    std::function<void()> ended;                   ///< drained, or stopped: nothing more will happen
  };
  JobService(Parts parts, DaemonSettings settings);
  ~JobService() override;

  /// Goes on with what was queued or running. Once, in the service's thread.
  Result<void> start();
  void ask(ServiceRequest request, std::function<void(ServiceReply)> reply) override;

  // In the service's thread: signals.
  void drain();
  void stop_now();
  SettingsChange reload(const DaemonSettings& settings);
  [[nodiscard]] bool draining() const { return draining_; }

 private:
  enum class Intent { none, pause, cancel, drain };
  struct ActiveJob {
    JobRecord record;
    std::unique_ptr<IdeaSources> ideas;
    std::unique_ptr<ServiceObserver> observer;
    std::shared_ptr<JobRun> run;
    Intent intent = Intent::none;
  };

  // job_service.cpp
  ServiceReply answer(const ServiceRequest& request);
  ServiceReply submit(const Json& body);
  ServiceReply list_jobs();
  ServiceReply one_job(const JobRecord& job);
  ServiceReply pause(const JobRecord& job);
  ServiceReply resume(const JobRecord& job);
  ServiceReply cancel(const JobRecord& job);
  ServiceReply prioritise(const JobRecord& job, const Json& body);
  ServiceReply workers() const;
  ServiceReply status();
  ServiceReply reload_now();
  Json describe(const JobRecord& job) const;
  tl::expected<PreparedJob, ServiceError> check(const Json& document, const std::string& where) const;
  ServiceReply enqueue(const PreparedJob& prepared, std::optional<int> priority, std::string_view event);

  // running_jobs.cpp
  void start_next();
  /// The job's row, for which there is room, begins to run; what it needs may be missing.
  Result<void> begin(const JobRecord& job);
  void ended(const std::string& name, Result<RunSummary> result);
  void conclude(ActiveJob& job, const Result<RunSummary>& result);
  void summarise(const ActiveJob& job, const Result<RunSummary>& result);
  void stop(ActiveJob& job, Intent intent, JobRun::Stop how);
  void hear(const PoolNews& news);
  void end_if_drained();

  Parts parts_;
  DaemonSettings settings_;
  EventSink sink_;
  Notifier notifier_;
  Pools pools_;
  std::map<std::string, ActiveJob> active_;  ///< by name
  const Timestamp started_at_;
  bool draining_ = false, ended_ = false;
  boost::asio::steady_timer drain_limit_;
};

}  // namespace kevolve
