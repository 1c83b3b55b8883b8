#include "daemon/engine/workers/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;

/// Between two signs of life of a worker: far beyond compile deadline, run deadlines and timing budget of a
/// batch.
constexpr std::chrono::seconds kRequestDeadline{300};
/// Of one request: that many ended workers prove it guilty in any case.
constexpr int kDeaths = 5;

}  // namespace

void WorkerPool::Pending::answer(Result<Evaluation> answer) {
  if (result) return;
  result = std::move(answer);
  done.notify();
}

WorkerPool::WorkerPool(asio::io_context& io, PoolSettings settings, Listener listener)
    : io_(io),
      listener_(std::move(listener)),
      fleet_(std::make_shared<WorkerFleet>(io, std::move(settings))),
      idle_(io) {}

std::shared_ptr<WorkerShare> WorkerPool::join(std::string job, double weight) {
  const auto weak = weak_from_this();
  const auto news = [weak](const PoolNews& what) {
    if (const auto pool = weak.lock(); pool && pool->listener_) pool->listener_(what);
  };
  const auto ready = [weak] {
    const auto pool = weak.lock();
    if (!pool) return;
    pool->consider_idleness();
    pool->dispatch();
  };
  const auto wanted = [weak] {
    const auto pool = weak.lock();
    return pool && !pool->shares_.empty();
  };
  fleet_->answer_to({news, ready, wanted});
  return std::make_shared<WorkerShare>(shared_from_this(), std::move(job), weight);
}

void WorkerPool::need() {
  idle_.cancel();
  fleet_->need();
}

void WorkerPool::stop(const std::string& why) {
  if (std::exchange(stopped_, true)) return;
  for (WorkerShare* share : shares_) share->abandon(why);
  fleet_->stop(why);
  idle_.cancel();
}

void WorkerPool::leave(WorkerShare& share) {
  std::erase(shares_, &share);
  turns_.leave(share.member_);
  if (shares_.empty()) {  // whoever comes next may meet other machines
    consider_idleness();
    if (ready() == 0) fleet_->forget_device();
  }
}

void WorkerPool::consider_idleness() {
  const bool busy = carried_ > 0 || std::any_of(shares_.begin(), shares_.end(),
                                                [](const auto* share) { return share->waiting() > 0; });
  if (busy || stopped_ || settings().idle.count() == 0) return;
  idle_.expires_after(settings().idle);
  idle_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto pool = weak.lock();
    if (!error && pool && !pool->stopped_ && pool->carried_ == 0) pool->rest();
  });
}

void WorkerPool::rest() {
  const bool any = fleet_->rest();
  if (shares_.empty()) fleet_->forget_device();
  if (any && listener_) listener_({PoolNews::Kind::idle, settings().name, 0, false, "nothing to do", 0});
}

void WorkerPool::dispatch() {
  while (WorkerFleet::Worker* worker = fleet_->least_busy()) {
    std::vector<search::FairShare::Member> waiting;
    for (const WorkerShare* share : shares_) {
      if (!share->waiting_.empty()) waiting.push_back(share->member_);
    }
    const auto turn = turns_.next(waiting);
    if (!turn) return;
    WorkerShare& share =
        **std::find_if(shares_.begin(), shares_.end(), [&](const auto* s) { return s->member_ == *turn; });
    const auto pending = share.waiting_.front();
    share.waiting_.pop_front();
    share.carried_.push_back(pending);
    ++carried_;
    ++worker->given;
    pending->charged = share.mean_seconds_;
    turns_.charge(share.member_, pending->charged);
    asio::co_spawn(io_, carry(pending, *worker), asio::detached);
  }
}

/// `worker` belongs to the fleet, which lives as long as the pool.
asio::awaitable<void> WorkerPool::carry(std::shared_ptr<Pending> pending, WorkerFleet::Worker& worker) {
  const auto self = shared_from_this();
  const std::shared_ptr<WorkerClient> client = worker.client;
  tl::expected<WorkerReply, WorkerLoss> reply = tl::unexpected(WorkerLoss{"the worker ended", false});
  const auto sent = Clock::now();
  if (client) reply = co_await client->request(pending->request, kRequestDeadline);
  --carried_;
  --worker.given;
  if (pending->share != nullptr) charge(*pending, worker, sent);
  settle(pending, std::move(reply));
  consider_idleness();
  dispatch();
}

void WorkerPool::charge(Pending& pending, WorkerFleet::Worker& worker, Clock::time_point sent) {
  WorkerShare& share = *pending.share;
  std::erase_if(share.carried_, [&](const auto& carried) { return carried.get() == &pending; });
  // The worker spent time on it since it had it and the one before it was answered.
  const auto begin = std::max(sent, worker.last_reply);
  worker.last_reply = Clock::now();
  const double took = std::chrono::duration<double>(worker.last_reply - begin).count();
  share.mean_seconds_ = 0.8 * share.mean_seconds_ + 0.2 * took;
  turns_.charge(share.member_, took - pending.charged);
}

void WorkerPool::settle(const std::shared_ptr<Pending>& pending,
                        tl::expected<WorkerReply, WorkerLoss> reply) {
  if (pending->result || pending->share == nullptr) return;  // nobody waits for it any more
  if (!reply) return send_again(pending, reply.error());
  ++answered_;
  if (auto* evaluation = std::get_if<EvaluationReply>(&*reply))
    return pending->answer(std::move(evaluation->evaluation));
  if (auto* error = std::get_if<ErrorReply>(&*reply)) return pending->answer(failure(error->message));
  pending->answer(failure("the worker answered an evaluate request with something else: versions differ"));
}

void WorkerPool::send_again(const std::shared_ptr<Pending>& pending, const WorkerLoss& loss) {
  WorkerShare& share = *pending->share;
  if (stopped_ || !share.closed_.empty()) return pending->answer(failure(loss.why));
  if (!loss.suspect) {
    share.waiting_.push_front(pending);
    return need();
  }
  pending->suspicion.death(answered_);
  if (pending->suspicion.proven(answered_, kDeaths)) {
    return pending->answer(failure(fmt::format("{} workers ended while they worked on it; the last: {}",
                                               pending->suspicion.deaths(), loss.why)));
  }
  share.waiting_.push_back(pending);  // others first: do they fare better?
  need();
}

}  // namespace kevolve::engine
