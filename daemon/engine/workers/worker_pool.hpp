#pragma once
// WorkerPool: workers of one kind, and the jobs that share them.
//
// A job joins and gets a WorkerShare. A place that becomes free goes to the waiting job whose turn it is
// (core/search/fair_share.hpp, in worker seconds). What a worker that ended had not answered goes to the next
// one, but for a request that workers die of (core/process/supervision.hpp): its job gets an error. Workers
// end when nobody has needed one for a while; WorkerFleet starts them. Belongs to the thread of its
// io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/search/fair_share.hpp"
#include "daemon/engine/workers/worker_fleet.hpp"

namespace kevolve::engine {

class WorkerShare;

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  using Listener = std::function<void(const PoolNews&)>;
  WorkerPool(boost::asio::io_context& io, PoolSettings settings, Listener listener);

  std::shared_ptr<WorkerShare> join(std::string job, double weight);
  void stop(const std::string& why);

  [[nodiscard]] const PoolSettings& settings() const { return fleet_->settings(); }
  [[nodiscard]] std::vector<WorkerStatus> workers() const { return fleet_->status(); }
  [[nodiscard]] const std::vector<WorkerShare*>& shares() const { return shares_; }
  [[nodiscard]] std::size_t ready() const { return fleet_->ready(); }  ///< workers
  /// Of its workers, when one has said hello.
  [[nodiscard]] const std::optional<DeviceInfo>& device() const { return fleet_->device(); }
  [[nodiscard]] const std::string& version() const { return fleet_->version(); }
  [[nodiscard]] const std::string& trouble() const { return fleet_->trouble(); }  ///< why none is ready; ""

 private:
  friend class WorkerShare;
  struct Pending {
    Pending(boost::asio::io_context& io, EvaluateRequest r, WorkerShare& s)
        : request(std::move(r)), share(&s), done(io) {}
    EvaluateRequest request;
    WorkerShare* share;  ///< null when it left
    Signal done;
    std::optional<Result<Evaluation>> result;
    process::Suspicion suspicion;
    double charged = 0;  ///< seconds, in advance

    void answer(Result<Evaluation> answer);
  };

  /// A share has a request, or wants to know the device.
  void need();
  void dispatch();
  boost::asio::awaitable<void> carry(std::shared_ptr<Pending> pending, WorkerFleet::Worker& worker);
  /// What the request cost its share, now that the worker is done with it.
  void charge(Pending& pending, WorkerFleet::Worker& worker, std::chrono::steady_clock::time_point sent);
  void settle(const std::shared_ptr<Pending>& pending, tl::expected<WorkerReply, WorkerLoss> reply);
  void send_again(const std::shared_ptr<Pending>& pending, const WorkerLoss& loss);
  void leave(WorkerShare& share);
  void consider_idleness();
  void rest();

  boost::asio::io_context& io_;
  const Listener listener_;
  const std::shared_ptr<WorkerFleet> fleet_;
  std::vector<WorkerShare*> shares_;
  search::FairShare turns_;
  std::uint64_t answered_ = 0;
  std::size_t carried_ = 0;
  bool stopped_ = false;
  boost::asio::steady_timer idle_;
};

/// A job's part of a pool. Leaves it at the end of its life.
class WorkerShare {
 public:
  WorkerShare(std::shared_ptr<WorkerPool> pool, std::string job, double weight);
  ~WorkerShare();
  WorkerShare(const WorkerShare&) = delete;
  WorkerShare& operator=(const WorkerShare&) = delete;

  /// Waits until a worker has said hello. An error: the pool gave up, or close() was called.
  boost::asio::awaitable<Result<DeviceInfo>> device();
  /// Waits for its turn, then for the reply. An Error means that no worker judged the candidate.
  boost::asio::awaitable<Result<Evaluation>> evaluate(EvaluateRequest request);

  /// Requests that wait get an error; workers still answer those that they have.
  void close(const std::string& why);
  /// All requests get an error.
  void abandon(const std::string& why);
  void reweigh(double weight);

  [[nodiscard]] const std::string& job() const { return job_; }
  [[nodiscard]] double weight() const { return weight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return carried_.size(); }
  [[nodiscard]] const WorkerPool& pool() const { return *pool_; }

 private:
  friend class WorkerPool;
  using PendingPointer = std::shared_ptr<WorkerPool::Pending>;

  const std::shared_ptr<WorkerPool> pool_;
  const std::string job_;
  double weight_;
  search::FairShare::Member member_;
  std::deque<PendingPointer> waiting_;
  std::vector<PendingPointer> carried_;
  double mean_seconds_ = 1;  ///< of a worker, for one request
  std::string closed_;       ///< why; "": it is open
};

}  // namespace kevolve::engine
