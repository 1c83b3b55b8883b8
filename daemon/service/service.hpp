#pragma once
// Service: the questions that a running kevolved answers, whoever asks (the HTTP API, a signal, a test).
//
// A request is a verb, the job it is about, and a body. The answer is JSON, or an error of a kind that the
// asker can act on. docs/http_api.md has the shapes of both.

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "core/text/json.hpp"

namespace kevolve::service {

enum class ServiceVerb {
  submit,  ///< body: {"job": a job document, "priority"?: integer}; continues a job of that name, as `run`
           ///< does
  jobs,    ///< every job of the archive, the most recently active first
  job,     ///< one job
  pause,   ///< lets workers and models finish what they have; its workers go to other jobs; body: {}
  resume,  ///< continues a paused, interrupted or finished job; body: {}
  cancel,  ///< ends the job for good: only a request resumes it
  prioritise,  ///< body: {"priority": integer}
  workers,     ///< pools, their workers, devices, what each does
  status,      ///< of the service itself: version, uptime, draining or not, numbers of jobs by state
  drain,       ///< starts nothing new; the service ends when its jobs have
  reload,      ///< reads its configuration again; says what changed and what needs a restart
};

struct ServiceRequest {
  ServiceVerb verb = ServiceVerb::status;
  std::string job;  ///< its name, where the verb is about one
  Json body = Json::object();
};

enum class ServiceFailure {
  invalid,    ///< the request is wrong: the message names the field
  not_found,  ///< no such job
  conflict,   ///< not possible in the job's present state
  draining,   ///< the service is about to end
  internal,   ///< the machine's fault: disk full, worker cannot be started
};

struct ServiceError {
  ServiceFailure kind = ServiceFailure::internal;
  std::string message;
};

using ServiceReply = tl::expected<Json, ServiceError>;

class Service {
 public:
  virtual ~Service() = default;
  /// From any thread. The service calls `reply` once, in its own thread; it must not block.
  virtual void ask(ServiceRequest request, std::function<void(ServiceReply)> reply) = 0;
};

}  // namespace kevolve::service
