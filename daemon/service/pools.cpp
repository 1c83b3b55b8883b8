#include "daemon/service/pools.hpp"

#include <algorithm>

#include "daemon/engine/job/preparation.hpp"

namespace kevolve::service {
namespace {

/// After that many failed starts in a row a job with its own launcher fails: nobody will mend it.
constexpr int kOwnPatience = 5;

}  // namespace

engine::PoolSettings Pools::settings_of(const PoolConfig& config) const {
  engine::PoolSettings settings;
  settings.name = config.name;
  settings.device = config.device;
  settings.command = engine::worker_command(config.launcher, config.gpus, log_, arguments_);
  settings.workers = config.workers;
  settings.start_deadline = config.start;
  settings.idle = config.idle;
  return settings;
}

void Pools::configure(const DaemonSettings& settings) {
  std::vector<std::string> arguments;
  if (!settings.worker_cache.empty()) arguments = {"--cache", settings.worker_cache.string()};
  const bool same_command = arguments == arguments_;
  arguments_ = std::move(arguments);
  log_ = engine::worker_log(settings.archive);
  std::vector<Configured> next;
  for (const PoolConfig& config : settings.pools) {
    const auto known = std::find_if(configured_.begin(), configured_.end(),
                                    [&](const Configured& c) { return same_command && c.config == config; });
    if (known != configured_.end()) {
      next.push_back(std::move(*known));
      configured_.erase(known);
    } else {
      next.push_back({config, std::make_shared<engine::WorkerPool>(io_, settings_of(config), listener_)});
    }
  }
  for (Configured& former : configured_) passing_.push_back(std::move(former.pool));
  configured_ = std::move(next);
  tidy();
}

std::shared_ptr<engine::WorkerPool> Pools::for_device(const std::string& device) const {
  for (const Configured& c : configured_) {
    if (c.config.device == device) return c.pool;
  }
  return nullptr;
}

std::shared_ptr<engine::WorkerPool> Pools::own(const Job& job) {
  engine::PoolSettings settings =
      settings_of({"job " + job.name, job.device, job.workers, job.gpus, job.launcher});
  settings.patience = kOwnPatience;
  settings.idle = std::chrono::seconds(0);  // it ends with the job
  passing_.push_back(std::make_shared<engine::WorkerPool>(io_, std::move(settings), listener_));
  return passing_.back();
}

void Pools::tidy() {
  std::erase_if(passing_, [](const std::shared_ptr<engine::WorkerPool>& pool) {
    if (!pool->shares().empty()) return false;
    pool->stop("nobody uses it any more");
    return true;
  });
}

void Pools::stop(const std::string& why) {
  for (const auto& pool : all()) pool->stop(why);
}

std::vector<std::shared_ptr<engine::WorkerPool>> Pools::all() const {
  std::vector<std::shared_ptr<engine::WorkerPool>> pools;
  for (const Configured& c : configured_) pools.push_back(c.pool);
  pools.insert(pools.end(), passing_.begin(), passing_.end());
  return pools;
}

std::vector<std::string> Pools::devices() const {
  std::vector<std::string> names;
  for (const Configured& c : configured_) names.push_back(c.config.device);
  return names;
}

}  // namespace kevolve::service
