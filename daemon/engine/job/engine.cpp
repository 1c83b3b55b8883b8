#include "daemon/engine/job/engine.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

namespace kevolve::engine {
namespace asio = boost::asio;

std::string in_words(const PoolNews& news) {
  using Kind = PoolNews::Kind;
  if (news.kind == Kind::idle || (news.kind == Kind::started && !news.again)) return "";
  if (news.kind == Kind::started) return fmt::format("worker {} was replaced: {}", news.worker, news.text);
  const std::string next =
      news.next_try_seconds > 0 ? fmt::format("; started again in {:g} s", news.next_try_seconds) : "";
  return fmt::format("worker {} {}: {}{}", news.worker, news.kind == Kind::lost ? "was lost" : "was refused",
                     news.text, next);
}

Result<RunSummary> run_job(const EngineSettings& settings, archive::Archive& archive, IdeaSources& ideas,
                           Observer& observer) {
  ::signal(SIGPIPE, SIG_IGN);  // a dead worker is noticed by its end of file
  asio::io_context io(1);
  const Job& job = settings.prepared.job;
  PoolSettings workers;
  workers.name = job.name;
  workers.device = job.device;
  workers.command = settings.worker;
  workers.workers = job.workers;
  workers.patience = 1;  // whoever started this run is there to read the error
  const auto pool = std::make_shared<WorkerPool>(io, workers, [&](const PoolNews& news) {
    if (const std::string text = in_words(news); !text.empty()) observer.warned(text);
  });
  const auto run = std::make_shared<JobRun>(
      io, JobRun::Parts{settings.prepared, settings.version, archive, ideas, pool->join(job.name, 1)},
      observer);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) run->stop(JobRun::Stop::now);
  });
  Result<RunSummary> summary = failure("the run did not start");
  asio::co_spawn(io, run->execute(), [&](const std::exception_ptr& exception, Result<RunSummary> result) {
    summary = exception ? failure("internal error: an exception crossed the engine") : std::move(result);
    signals.cancel();
    pool->stop("the run has ended");
  });
  io.run();
  return summary;
}

}  // namespace kevolve::engine
