#include "daemon/engine/workers/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kevolve {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;

/// Between two signs of life of a worker: far beyond compile deadline, run deadlines and timing budget of a
/// batch.
constexpr std::chrono::seconds kRequestDeadline{300};
/// Deaths of workers over one request: with others answered in between, and in any case.
constexpr int kDeathsAmongOthers = 2, kDeaths = 5;
/// Somebody may kill a worker as it starts, the kernel for one where memory is short; but not for ever.
constexpr int kKilledStarts = 10;

/// A worker of several GPUs gets requests ahead for each of them.
std::size_t places_of(const DeviceInfo& device, const Hello& hello) {
  return static_cast<std::size_t>(device.traits().requests_ahead) * static_cast<std::size_t>(hello.parallel);
}

Result<DeviceInfo> device_named(const Hello& hello, const std::string& name) {
  std::vector<std::string> known;
  for (const DeviceInfo& device : hello.devices) {
    if (device.name == name) return device;
    known.push_back(device.name);
  }
  return failure(fmt::format("the worker has no device '{}'; it has: {}", name, fmt::join(known, ", ")));
}

}  // namespace

WorkerPool::Pending::Pending(asio::io_context& io, EvaluateRequest r, WorkerShare& s)
    : request(std::move(r)), share(&s), done(io) {
  done.expires_at(Clock::time_point::max());
}

WorkerPool::WorkerPool(asio::io_context& io, PoolSettings settings, Listener listener)
    : io_(io),
      settings_(std::move(settings)),
      listener_(std::move(listener)),
      slots_(static_cast<std::size_t>(std::max(settings_.workers, 1))),
      changed_(io),
      idle_(io) {
  changed_.expires_at(Clock::time_point::max());  // once: doing it again wakes all waiters
}

std::shared_ptr<WorkerShare> WorkerPool::join(std::string job, double weight) {
  return std::make_shared<WorkerShare>(shared_from_this(), std::move(job), weight);
}

void WorkerPool::tell(PoolNews news) {
  news.pool = settings_.name;
  if (listener_) listener_(news);
}

// ---------------------------------------------------------------------------------------------- workers

/// Somebody needs workers: those that are off start.
void WorkerPool::need() {
  idle_.cancel();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].state == Slot::State::off) start(i);
  }
}

void WorkerPool::start(std::size_t index) {
  if (stopped_ || gave_up_) return;
  slots_[index].state = Slot::State::starting;
  asio::co_spawn(io_, start_worker(index), asio::detached);
}

asio::awaitable<void> WorkerPool::start_worker(std::size_t index) {
  const auto self = shared_from_this();
  Slot& slot = slots_[index];
  const bool again = slot.losses > 0;
  bool killed = false;
  Result<std::shared_ptr<WorkerClient>> client = co_await WorkerClient::start(
      io_, numbered(settings_.command, static_cast<int>(index)), settings_.start_deadline, &killed);
  if (stopped_) {
    if (client) (*client)->stop("stopped");
    co_return;
  }
  if (!client) {
    slot.killed_starts += killed && slot.killed_starts < kKilledStarts ? 1 : 0;
    lose(index, client.error().message, PoolNews::Kind::lost);
    co_return;
  }
  const Hello& hello = (*client)->hello();
  if (const Result<void> agreed = agree(hello); !agreed) {
    (*client)->stop("refused");
    lose(index, agreed.error().message, PoolNews::Kind::refused);
    co_return;
  }
  slot.state = Slot::State::ready;
  slot.client = *client;
  slot.places = places_of(*device_, hello);
  slot.last_reply = Clock::now();
  slot.client->on_end([weak = weak_from_this(), index](const std::string& why) {
    if (const auto pool = weak.lock()) pool->lose(index, why, PoolNews::Kind::lost);
  });
  trouble_.clear();
  tell({PoolNews::Kind::started, "", static_cast<int>(index) + 1, again,
        fmt::format("kevolve-worker {} on {}{}", hello.version, device_->model,
                    hello.parallel == 1 ? "" : fmt::format(", {} at once", hello.parallel))});
  changed_.cancel();
  consider_idleness();
  dispatch();
}

/// The first worker says what all are; times of others could not be compared with its own.
Result<void> WorkerPool::agree(const Hello& hello) {
  const Result<DeviceInfo> found = device_named(hello, settings_.device);
  if (!found) return failure(found.error());
  if (!device_) {
    device_ = *found;
    version_ = hello.version;
    return {};
  }
  if (device_->key() != found->key()) {
    return failure(
        fmt::format("workers disagree on device '{}': the first has {}, this one {}; their times cannot be "
                    "compared",
                    settings_.device, device_->key(), found->key()));
  }
  if (version_ != hello.version) {
    return failure(
        fmt::format("workers disagree on their version: the first has {}, this one {}; install "
                    "the same on all machines",
                    version_, hello.version));
  }
  return {};
}

void WorkerPool::lose(std::size_t index, const std::string& why, PoolNews::Kind kind) {
  Slot& slot = slots_[index];
  const bool had_answered = slot.client && slot.client->answered() > 0;
  if (slot.client) slot.answered += slot.client->answered();
  slot.client.reset();
  slot.failures = had_answered ? 0 : slot.failures + 1;
  if (had_answered) slot.killed_starts = 0;
  ++slot.losses;
  slot.why = why;
  slot.state = Slot::State::waiting;
  auto wait = kind == PoolNews::Kind::refused ? settings_.longest_back_off : std::chrono::milliseconds(0);
  for (int i = 0; i < slot.failures && wait < settings_.longest_back_off; ++i)
    wait = i == 0 ? settings_.first_back_off : wait * 2;
  wait = std::min(wait, settings_.longest_back_off);
  if (ready() == 0) trouble_ = why;
  tell({kind, "", static_cast<int>(index) + 1, false, why, static_cast<double>(wait.count()) / 1000});
  if (settings_.patience > 0 && !device_ && slot.failures - slot.killed_starts >= settings_.patience) {
    gave_up_ = true;
    changed_.cancel();
    return;
  }
  slot.timer = std::make_unique<asio::steady_timer>(io_, wait);
  slot.timer->async_wait([weak = weak_from_this(), index](const boost::system::error_code& error) {
    const auto pool = weak.lock();
    if (error || !pool || pool->stopped_) return;
    pool->slots_[index].state = Slot::State::off;
    if (!pool->shares_.empty()) pool->start(index);
  });
}

std::size_t WorkerPool::ready() const {
  return static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.state == Slot::State::ready; }));
}

void WorkerPool::consider_idleness() {
  const bool busy = carried_ > 0 || std::any_of(shares_.begin(), shares_.end(),
                                                [](const auto* share) { return share->waiting() > 0; });
  if (busy || stopped_ || settings_.idle.count() == 0) return;
  idle_.expires_after(settings_.idle);
  idle_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto pool = weak.lock();
    if (error || !pool || pool->stopped_ || pool->carried_ > 0) return;
    bool any = false;
    for (Slot& slot : pool->slots_) {
      if (slot.state != Slot::State::ready) continue;
      any = true;
      slot.answered += slot.client->answered();
      slot.client->stop("idle");
      slot.client.reset();
      slot.state = Slot::State::off;
    }
    if (pool->shares_.empty()) pool->device_.reset();
    if (any) pool->tell({PoolNews::Kind::idle, "", 0, false, "nothing to do", 0});
  });
}

void WorkerPool::stop(const std::string& why) {
  if (stopped_) return;
  stopped_ = true;
  for (WorkerShare* share : shares_) share->abandon(why);
  for (Slot& slot : slots_) {
    if (slot.timer) slot.timer->cancel();
    if (slot.client) slot.client->stop(why);
    slot.client.reset();
    slot.state = Slot::State::off;
  }
  changed_.cancel();
  idle_.cancel();
}

std::vector<WorkerStatus> WorkerPool::workers() const {
  constexpr std::string_view kStates[] = {"off", "starting", "ready", "waiting"};
  std::vector<WorkerStatus> list;
  for (const Slot& slot : slots_) {
    WorkerStatus& status = list.emplace_back();
    status.state = kStates[static_cast<std::size_t>(slot.state)];
    status.answered = slot.answered;
    if (slot.client) {
      status.process = slot.client->process_id();
      status.in_flight = slot.client->in_flight();
      status.answered += slot.client->answered();
    }
    status.losses = slot.losses;
    status.why = slot.why;
  }
  return list;
}

// --------------------------------------------------------------------------------------------- requests

WorkerPool::Slot* WorkerPool::free_slot() {
  Slot* least = nullptr;
  for (Slot& slot : slots_) {
    if (slot.state != Slot::State::ready || slot.given >= slot.places) continue;
    if (least == nullptr || slot.given < least->given) least = &slot;
  }
  return least;
}

void WorkerPool::dispatch() {
  while (Slot* slot = free_slot()) {
    std::vector<FairShare::Member> waiting;
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
    ++slot->given;
    pending->charged = share.mean_seconds_;
    turns_.charge(share.member_, pending->charged);
    asio::co_spawn(io_, carry(pending, static_cast<std::size_t>(slot - slots_.data())), asio::detached);
  }
}

asio::awaitable<void> WorkerPool::carry(std::shared_ptr<Pending> pending, std::size_t index) {
  const auto self = shared_from_this();
  const std::shared_ptr<WorkerClient> client = slots_[index].client;
  tl::expected<WorkerReply, WorkerLoss> reply = tl::unexpected(WorkerLoss{"the worker ended", false});
  const auto sent = Clock::now();
  if (client) reply = co_await client->request(pending->request, kRequestDeadline);
  --carried_;
  --slots_[index].given;
  if (WorkerShare* share = pending->share; share != nullptr) {
    std::erase(share->carried_, pending);
    // What the worker spent on it: since it was there, and the one before it was answered.
    Slot& slot = slots_[index];
    const auto begin = std::max(sent, slot.last_reply);
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    slot.last_reply = Clock::now();
    share->mean_seconds_ = 0.8 * share->mean_seconds_ + 0.2 * took;
    turns_.charge(share->member_, took - pending->charged);
  }
  settle(pending, std::move(reply));
  consider_idleness();
  dispatch();
}

void WorkerPool::settle(const std::shared_ptr<Pending>& pending,
                        tl::expected<WorkerReply, WorkerLoss> reply) {
  if (pending->result || pending->share == nullptr) return;  // nobody waits for it any more
  const auto answer = [&](Result<Evaluation> result) {
    pending->result = std::move(result);
    pending->done.cancel();
  };
  if (reply) {
    ++answered_;
    if (auto* evaluation = std::get_if<EvaluationReply>(&*reply))
      return answer(std::move(evaluation->evaluation));
    if (auto* error = std::get_if<ErrorReply>(&*reply)) return answer(failure(error->message));
    return answer(failure("the worker answered an evaluate request with something else: versions differ"));
  }
  WorkerShare& share = *pending->share;
  if (stopped_ || !share.closed_.empty()) return answer(failure(reply.error().why));
  if (reply.error().suspect) {
    if (pending->deaths++ == 0) pending->answered_before = answered_;
    const bool others_worked = answered_ > pending->answered_before;
    if (pending->deaths >= kDeaths || (pending->deaths >= kDeathsAmongOthers && others_worked)) {
      return answer(failure(fmt::format("{} workers ended while they worked on it; the last: {}",
                                        pending->deaths, reply.error().why)));
    }
    share.waiting_.push_back(pending);  // others first: do they fare better?
  } else {
    share.waiting_.push_front(pending);
  }
  need();
}

void WorkerPool::leave(WorkerShare& share) {
  std::erase(shares_, &share);
  turns_.leave(share.member_);
  if (shares_.empty()) {  // whoever comes next may meet other machines
    consider_idleness();
    if (ready() == 0) device_.reset();
  }
}

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
  pool->need();
  while (closed_.empty() && !pool->stopped_ && !pool->gave_up_) {
    if (pool->device_ && pool->ready() > 0) co_return *pool->device_;
    boost::system::error_code ignored;
    co_await pool->changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (pool->gave_up_) co_return failure(pool->trouble_);
  co_return failure(closed_.empty() ? std::string("stopped") : closed_);
}

asio::awaitable<Result<Evaluation>> WorkerShare::evaluate(EvaluateRequest request) {
  if (!closed_.empty()) co_return failure(closed_);
  const auto pool = pool_;
  const auto pending = std::make_shared<WorkerPool::Pending>(pool->io_, std::move(request), *this);
  waiting_.push_back(pending);
  pool->need();
  pool->dispatch();
  while (!pending->result) {
    boost::system::error_code ignored;
    co_await pending->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::move(*pending->result);
}

void WorkerShare::refuse(const PendingPointer& pending, const std::string& why) {
  if (pending->result) return;
  pending->result = failure(why);
  pending->done.cancel();
}

void WorkerShare::close(const std::string& why) {
  if (closed_.empty()) closed_ = why;
  for (const PendingPointer& pending : std::exchange(waiting_, {})) refuse(pending, why);
  pool_->changed_.cancel();
}

void WorkerShare::abandon(const std::string& why) {
  close(why);
  for (const PendingPointer& pending : std::exchange(carried_, {})) {
    refuse(pending, why);
    pending->share = nullptr;
  }
}

void WorkerShare::reweigh(double weight) {
  weight_ = weight;
  pool_->turns_.reweigh(member_, weight);
}

}  // namespace kevolve
