#pragma once
// JobService: answers requests about the jobs of one archive, which RunningJobs runs over shared worker
// pools. Its thread is that of its io_context, and the archive's only writer.
//
//   submit ──► queued ──► running ──► finished, failed
//                 ▲          │ pause ──► paused     (what workers and models have is waited for)
//                 └─ resume ─┴ cancel ─► cancelled  (docs/daemon.md has the picture)
//
// All that matters is in the archive: a service that was killed continues with what was queued or running
// when it starts again.

#include <functional>
#include <string>

#include "daemon/service/running_jobs.hpp"
#include "daemon/service/service.hpp"

namespace kevolve::service {

class JobService final : public Service {
 public:
  using Parts = ServiceParts;
  JobService(Parts parts, DaemonSettings settings);

  /// Continues what was queued or running. Once, in the service's thread.
  Result<void> start() { return jobs_.start(); }
  void ask(ServiceRequest request, std::function<void(ServiceReply)> reply) override;

  // In the service's thread: signals.
  void drain() { jobs_.drain(); }
  void stop_now() { jobs_.stop_now(); }
  SettingsChange reload(const DaemonSettings& settings);
  [[nodiscard]] bool draining() const { return jobs_.draining(); }

 private:
  ServiceReply answer(const ServiceRequest& request);
  ServiceReply submit(const Json& body);
  ServiceReply list_jobs();
  ServiceReply pause(const archive::JobRecord& job);
  ServiceReply resume(const archive::JobRecord& job);
  ServiceReply cancel(const archive::JobRecord& job);
  ServiceReply prioritise(const archive::JobRecord& job, const Json& body);
  ServiceReply workers() const;
  ServiceReply status();
  ServiceReply reload_now();
  Json describe(const archive::JobRecord& job);
  Result<engine::PreparedJob> check(const Json& document, const std::string& where) const;
  ServiceReply enqueue(const engine::PreparedJob& prepared, std::optional<int> priority,
                       std::string_view event);

  ServiceParts parts_;
  RunningJobs jobs_;
  const archive::Timestamp started_at_;
};

}  // namespace kevolve::service
