#pragma once
// WorkerPool: several workers of one kind, seen as one. Requests go to the least busy; each worker gets
// enough at a time to compile ahead while it measures. Belongs to the thread of its io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "daemon/worker_client.hpp"

namespace kevolve {

class WorkerPool {
 public:
  /// `device`: that is going to be asked for. A GPU's worker compiles ahead of what it measures, so it gets
  /// many requests at a time; on the cpu device the machine must be quiet while it measures.
  WorkerPool(boost::asio::io_context& io, const std::string& device)
      : io_(io), free_(io), places_per_worker_(device == "cpu" ? 4 : 32) {
    free_.expires_at(std::chrono::steady_clock::time_point::max());  // once: doing it again wakes all waiters
  }

  /// Starts `count` workers, all or none.
  boost::asio::awaitable<Result<void>> start(const WorkerCommand& command, int count);

  /// What the workers' hellos say of the device of that name; an error when they lack it, or differ in it.
  [[nodiscard]] Result<DeviceInfo> device(const std::string& name) const;

  /// Waits for a free place, then for the reply. An Error means that the candidate was not judged.
  boost::asio::awaitable<Result<Evaluation>> evaluate(EvaluateRequest request);

  void stop(const std::string& why);
  /// Requests that workers have and have not answered.
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] const std::vector<std::shared_ptr<WorkerClient>>& workers() const { return workers_; }

 private:
  boost::asio::awaitable<std::shared_ptr<WorkerClient>> free_worker();

  boost::asio::io_context& io_;
  boost::asio::steady_timer free_;  ///< cancelled whenever a place becomes free
  std::size_t places_per_worker_;
  std::vector<std::shared_ptr<WorkerClient>> workers_;
  bool stopped_ = false;
};

}  // namespace kevolve
