#pragma once
// TaskGroup: coroutines that go on side by side, and a wait for the last of them. Belongs to one thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>

#include "core/model/result.hpp"

namespace kevolve {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::io_context& io) : io_(io), done_(io) {
    done_.expires_at(std::chrono::steady_clock::time_point::max());
  }
  TaskGroup(const TaskGroup&) = delete;

  void spawn(boost::asio::awaitable<Result<void>> task) {
    ++running_;
    boost::asio::co_spawn(io_, std::move(task),
                          [this](const std::exception_ptr& thrown, Result<void> result) {
                            if (thrown) result = failure("internal error: an exception crossed a task");
                            if (!result && !error_) error_ = result.error();
                            if (--running_ == 0) done_.cancel();
                          });
  }

  /// Until all have ended; the first error of any. Must be awaited before destruction.
  boost::asio::awaitable<Result<void>> wait() {
    while (running_ > 0) {
      boost::system::error_code ignored;
      co_await done_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (error_) co_return failure(*error_);
    co_return Result<void>{};
  }

 private:
  boost::asio::io_context& io_;
  boost::asio::steady_timer done_;
  std::size_t running_ = 0;
  std::optional<Error> error_;
};

}  // namespace kevolve
