#pragma once
// TaskGroup: coroutines that run side by side, and a wait for the last of them. Belongs to one thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/text/result.hpp"
#include "daemon/engine/workers/signal.hpp"

namespace kevolve::engine {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor) : executor_(executor), done_(executor) {}
  TaskGroup(const TaskGroup&) = delete;

  void spawn(boost::asio::awaitable<Result<void>> task);

  /// Until all have ended; returns the first error of any. Must be awaited before destruction.
  boost::asio::awaitable<Result<void>> wait();

 private:
  boost::asio::any_io_executor executor_;
  Signal done_;  ///< the last task has ended
  std::size_t running_ = 0;
  std::optional<Error> error_;
};

}  // namespace kevolve::engine
