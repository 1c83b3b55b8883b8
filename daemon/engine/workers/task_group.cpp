#include "daemon/engine/workers/task_group.hpp"

#include <boost/asio/co_spawn.hpp>

namespace kevolve::engine {

void TaskGroup::spawn(boost::asio::awaitable<Result<void>> task) {
  ++running_;
  boost::asio::co_spawn(executor_, std::move(task),
                        [this](const std::exception_ptr& thrown, Result<void> result) {
                          if (thrown) result = failure("internal error: an exception crossed a task");
                          if (!result && !error_) error_ = result.error();
                          if (--running_ == 0) done_.notify();
                        });
}

boost::asio::awaitable<Result<void>> TaskGroup::wait() {
  while (running_ > 0) co_await done_.wait();
  if (error_) co_return failure(*error_);
  co_return Result<void>{};
}

}  // namespace kevolve::engine
