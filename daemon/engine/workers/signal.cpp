#include "daemon/engine/workers/signal.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kevolve::engine {

boost::asio::awaitable<void> Signal::wait() {
  boost::system::error_code woken;
  co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
}

}  // namespace kevolve::engine
