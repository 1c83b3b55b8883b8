#pragma once
// Pools: the worker pools of a service, by device. After a change of the configuration, new jobs use new
// pools; the former pools end with their last job. Belongs to the service's thread.

#include <functional>
#include <memory>
#include <vector>

#include "core/model/job.hpp"
#include "daemon/engine/workers/worker_pool.hpp"
#include "daemon/service/settings.hpp"

namespace kevolve::service {

class Pools {
 public:
  Pools(boost::asio::io_context& io, engine::WorkerPool::Listener listener)
      : io_(io), listener_(std::move(listener)) {}

  void configure(const DaemonSettings& settings);
  /// nullptr: the configuration has none for that device.
  [[nodiscard]] std::shared_ptr<engine::WorkerPool> for_device(const std::string& device) const;
  /// A pool for that job alone, by its launcher.
  std::shared_ptr<engine::WorkerPool> own(const Job& job);
  /// Ends pools of former configurations, and jobs' own, that nobody uses any more.
  void tidy();
  void stop(const std::string& why);
  [[nodiscard]] std::vector<std::shared_ptr<engine::WorkerPool>> all() const;
  [[nodiscard]] std::vector<std::string> devices() const;  ///< configured

 private:
  struct Configured {
    PoolConfig config;
    std::shared_ptr<engine::WorkerPool> pool;
  };
  [[nodiscard]] engine::PoolSettings settings_of(const PoolConfig& config) const;

  boost::asio::io_context& io_;
  engine::WorkerPool::Listener listener_;
  std::vector<std::string> arguments_;  ///< of every worker
  std::filesystem::path log_;
  std::vector<Configured> configured_;
  std::vector<std::shared_ptr<engine::WorkerPool>> passing_;  ///< end when nobody uses them
};

}  // namespace kevolve::service
