#include <utility>

#include "daemon/engine/workers/worker_pool.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;

WorkerShare::WorkerShare(std::shared_ptr<WorkerPool> pool, std::string job, double weight)
    : pool_(std::move(pool)), job_(std::move(job)), weight_(weight), member_(pool_->turns_.enter(weight)) {
  pool_->shares_.push_back(this);
}

WorkerShare::~WorkerShare() {
  abandon("the job left its pool");
  pool_->leave(*this);
}

asio::awaitable<Result<DeviceInfo>> WorkerShare::device() {
  const auto pool = pool_;
  WorkerFleet& fleet = *pool->fleet_;
  pool->need();
  while (closed_.empty() && !pool->stopped_ && !fleet.gave_up()) {
    if (fleet.device() && fleet.ready() > 0) co_return *fleet.device();
    co_await fleet.changed().wait();
  }
  if (fleet.gave_up()) co_return failure(fleet.trouble());
  co_return failure(closed_.empty() ? std::string("stopped") : closed_);
}

asio::awaitable<Result<Evaluation>> WorkerShare::evaluate(EvaluateRequest request) {
  if (!closed_.empty()) co_return failure(closed_);
  const auto pool = pool_;
  const auto pending = std::make_shared<WorkerPool::Pending>(pool->io_, std::move(request), *this);
  waiting_.push_back(pending);
  pool->need();
  pool->dispatch();
  while (!pending->result) co_await pending->done.wait();
  co_return std::move(*pending->result);
}

void WorkerShare::close(const std::string& why) {
  if (closed_.empty()) closed_ = why;
  for (const PendingPointer& pending : std::exchange(waiting_, {})) pending->answer(failure(why));
  pool_->fleet_->changed().notify();
}

void WorkerShare::abandon(const std::string& why) {
  close(why);
  for (const PendingPointer& pending : std::exchange(carried_, {})) {
    pending->answer(failure(why));
    pending->share = nullptr;
  }
}

void WorkerShare::reweigh(double weight) {
  weight_ = weight;
  pool_->turns_.reweigh(member_, weight);
}

}  // namespace kevolve::engine
