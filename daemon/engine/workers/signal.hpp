#pragma once
// Signal: the condition variable of coroutines. A waiter tests its condition in a loop:
//
//   while (!done) co_await signal.wait();
//
// Belongs to the thread of its io_context. Destruction wakes the waiters, too.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace kevolve::engine {

class Signal {
 public:
  explicit Signal(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}
  explicit Signal(boost::asio::io_context& io) : Signal(io.get_executor()) {}

  /// Until the next notify(). Calls before this one are not remembered.
  boost::asio::awaitable<void> wait();
  /// Wakes all that wait now.
  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;  ///< never expires: cancelling it wakes the waiters
};

}  // namespace kevolve::engine
