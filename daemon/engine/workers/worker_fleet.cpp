#include "daemon/engine/workers/worker_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Somebody may kill a worker as it starts, such as the kernel where memory is short; but not without end.
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

WorkerFleet::WorkerFleet(asio::io_context& io, PoolSettings settings)
    : io_(io), settings_(std::move(settings)), changed_(io) {
  for (int i = 0; i < std::max(settings_.workers, 1); ++i)
    workers_.emplace_back(process::BackOff(settings_.first_back_off, settings_.longest_back_off));
}

void WorkerFleet::need() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].state == Worker::State::off) start(i);
  }
}

void WorkerFleet::start(std::size_t index) {
  if (stopped_ || gave_up_) return;
  workers_[index].state = Worker::State::starting;
  asio::co_spawn(io_, start_worker(index), asio::detached);
}

asio::awaitable<void> WorkerFleet::start_worker(std::size_t index) {
  const auto self = shared_from_this();
  bool killed = false;
  Result<std::shared_ptr<WorkerClient>> client = co_await WorkerClient::start(
      io_, numbered(settings_.command, static_cast<int>(index)), settings_.start_deadline, &killed);
  if (stopped_) {
    if (client) (*client)->stop("stopped");
    co_return;
  }
  if (!client) {
    Worker& worker = workers_[index];
    worker.killed_starts += killed && worker.killed_starts < kKilledStarts ? 1 : 0;
    lose(index, client.error().message, PoolNews::Kind::lost);
  } else if (const Result<void> agreed = agree((*client)->hello()); !agreed) {
    (*client)->stop("refused");
    lose(index, agreed.error().message, PoolNews::Kind::refused);
  } else {
    welcome(index, std::move(*client));
  }
}

/// The first worker says what all are; times of others could not be compared with its own.
Result<void> WorkerFleet::agree(const Hello& hello) {
  TRY(const DeviceInfo found, device_named(hello, settings_.device));
  if (!device_) {
    device_ = found;
    version_ = hello.version;
    return {};
  }
  if (device_->key() != found.key()) {
    return failure(
        fmt::format("workers disagree on device '{}': the first has {}, this one {}; their times cannot be "
                    "compared",
                    settings_.device, device_->key(), found.key()));
  }
  if (version_ != hello.version) {
    return failure(
        fmt::format("workers disagree on their version: the first has {}, this one {}; install "
                    "the same on all machines",
                    version_, hello.version));
  }
  return {};
}

void WorkerFleet::welcome(std::size_t index, std::shared_ptr<WorkerClient> client) {
  Worker& worker = workers_[index];
  const Hello& hello = client->hello();
  worker.state = Worker::State::ready;
  worker.client = client;
  worker.places = places_of(*device_, hello);
  worker.last_reply = std::chrono::steady_clock::now();
  client->on_end([weak = weak_from_this(), index](const std::string& why) {
    if (const auto fleet = weak.lock()) fleet->lose(index, why, PoolNews::Kind::lost);
  });
  trouble_.clear();
  owner_.news({PoolNews::Kind::started, settings_.name, static_cast<int>(index) + 1, worker.losses > 0,
               fmt::format("kevolve-worker {} on {}{}", hello.version, device_->model,
                           hello.parallel == 1 ? "" : fmt::format(", {} at once", hello.parallel))});
  changed_.notify();
  owner_.ready();
}

void WorkerFleet::lose(std::size_t index, const std::string& why, PoolNews::Kind kind) {
  Worker& worker = workers_[index];
  const std::int64_t answered = worker.client ? worker.client->answered() : 0;
  worker.client.reset();
  worker.answered += answered;
  worker.back_off.ended(answered > 0);
  if (answered > 0) worker.killed_starts = 0;
  ++worker.losses;
  worker.why = why;
  worker.state = Worker::State::waiting;
  const auto wait = kind == PoolNews::Kind::refused ? worker.back_off.longest() : worker.back_off.wait();
  if (ready() == 0) trouble_ = why;
  owner_.news({kind, settings_.name, static_cast<int>(index) + 1, false, why,
               static_cast<double>(wait.count()) / 1000});
  if (settings_.patience > 0 && !device_ &&
      worker.back_off.failures() - worker.killed_starts >= settings_.patience) {
    gave_up_ = true;
    changed_.notify();
    return;
  }
  worker.timer = std::make_unique<asio::steady_timer>(io_, wait);
  worker.timer->async_wait([weak = weak_from_this(), index](const boost::system::error_code& error) {
    const auto fleet = weak.lock();
    if (error || !fleet || fleet->stopped_) return;
    fleet->workers_[index].state = Worker::State::off;
    if (fleet->owner_.wanted()) fleet->start(index);
  });
}

std::size_t WorkerFleet::ready() const {
  return static_cast<std::size_t>(std::count_if(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return worker.state == Worker::State::ready;
  }));
}

WorkerFleet::Worker* WorkerFleet::least_busy() {
  Worker* least = nullptr;
  for (Worker& worker : workers_) {
    if (worker.state != Worker::State::ready || worker.given >= worker.places) continue;
    if (least == nullptr || worker.given < least->given) least = &worker;
  }
  return least;
}

bool WorkerFleet::rest() {
  bool any = false;
  for (Worker& worker : workers_) {
    if (worker.state != Worker::State::ready) continue;
    any = true;
    worker.answered += worker.client->answered();
    worker.client->stop("idle");
    worker.client.reset();
    worker.state = Worker::State::off;
  }
  return any;
}

void WorkerFleet::stop(const std::string& why) {
  if (std::exchange(stopped_, true)) return;
  for (Worker& worker : workers_) {
    if (worker.timer) worker.timer->cancel();
    if (worker.client) worker.client->stop(why);
    worker.client.reset();
    worker.state = Worker::State::off;
  }
  changed_.notify();
}

std::vector<WorkerStatus> WorkerFleet::status() const {
  constexpr std::string_view kStates[] = {"off", "starting", "ready", "waiting"};
  std::vector<WorkerStatus> list;
  for (const Worker& worker : workers_) {
    WorkerStatus& status = list.emplace_back();
    status.state = kStates[static_cast<std::size_t>(worker.state)];
    status.answered = worker.answered;
    if (worker.client) {
      status.process = worker.client->process_id();
      status.in_flight = worker.client->in_flight();
      status.answered += worker.client->answered();
    }
    status.losses = worker.losses;
    status.why = worker.why;
  }
  return list;
}

}  // namespace kevolve::engine
