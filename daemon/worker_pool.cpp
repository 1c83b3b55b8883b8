#include "daemon/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kevolve {
namespace asio = boost::asio;
namespace {

/// Between two signs of life of a worker: far beyond compile deadline, run deadlines and timing budget of a
/// batch.
constexpr std::chrono::seconds kRequestDeadline{300};

Result<DeviceInfo> device_named(const Hello& hello, const std::string& name) {
  std::vector<std::string> known;
  for (const DeviceInfo& device : hello.devices) {
    if (device.name == name) return device;
    known.push_back(device.name);
  }
  return failure(fmt::format("the worker has no device '{}'; it has: {}", name, fmt::join(known, ", ")));
}

}  // namespace

asio::awaitable<Result<void>> WorkerPool::start(const WorkerCommand& command, int count) {
  for (int i = 0; i < count; ++i) {
    Result<std::shared_ptr<WorkerClient>> client = co_await WorkerClient::start(io_, numbered(command, i));
    if (!client) co_return failure(client.error());
    workers_.push_back(*client);
  }
  co_return Result<void>{};
}

Result<DeviceInfo> WorkerPool::device(const std::string& name) const {
  std::optional<DeviceInfo> common;
  for (const auto& worker : workers_) {
    Result<DeviceInfo> info = device_named(worker->hello(), name);
    if (!info) return info;
    if (common && common->key() != info->key()) {
      return failure(fmt::format("workers disagree on device '{}': {} and {}; their times cannot be compared",
                                 name, common->key(), info->key()));
    }
    common = *info;
  }
  if (!common) return failure("no worker was started");
  return *common;
}

asio::awaitable<std::shared_ptr<WorkerClient>> WorkerPool::free_worker() {
  while (!stopped_) {
    const auto least = std::min_element(workers_.begin(), workers_.end(), [](const auto& a, const auto& b) {
      return a->in_flight() < b->in_flight();
    });
    if (least != workers_.end() && (*least)->in_flight() < places_per_worker_) co_return *least;
    boost::system::error_code ignored;
    co_await free_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return nullptr;
}

asio::awaitable<Result<Evaluation>> WorkerPool::evaluate(EvaluateRequest request) {
  const std::shared_ptr<WorkerClient> worker = co_await free_worker();
  if (worker == nullptr) co_return failure("stopped");
  Result<WorkerReply> reply = co_await worker->request(std::move(request), kRequestDeadline);
  free_.cancel();
  if (!reply) co_return failure(reply.error());
  if (auto* evaluation = std::get_if<EvaluationReply>(&*reply)) co_return std::move(evaluation->evaluation);
  if (auto* error = std::get_if<ErrorReply>(&*reply)) co_return failure(error->message);
  co_return failure("the worker answered an evaluate request with something else: versions differ");
}

std::size_t WorkerPool::in_flight() const {
  std::size_t sum = 0;
  for (const auto& worker : workers_) sum += worker->in_flight();
  return sum;
}

void WorkerPool::stop(const std::string& why) {
  stopped_ = true;
  for (const auto& worker : workers_) worker->stop(why);
  free_.cancel();
}

}  // namespace kevolve
