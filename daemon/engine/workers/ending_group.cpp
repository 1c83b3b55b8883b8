#include "daemon/engine/workers/ending_group.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{10};

}  // namespace

EndingGroup::EndingGroup(pid_t leader, Leader state, std::chrono::milliseconds grace)
    : leader_(leader), reaped_(state == Leader::was_reaped), due_(Clock::now() + grace) {
  ::kill(-leader_, SIGTERM);
}

EndingGroup::~EndingGroup() {
  while (!over()) std::this_thread::sleep_for(kLook);
  ::kill(-leader_, SIGKILL);  // of an ended leader's group, what has not followed it
  if (!reaped_) ::waitpid(leader_, nullptr, 0);
}

bool EndingGroup::over() {
  return ended() || Clock::now() >= due_;
}

bool EndingGroup::ended() {
  if (ended_) return true;
  if (reaped_) return ended_ = ::kill(-leader_, 0) != 0;
  return ended_ = reaped_ = ::waitpid(leader_, nullptr, WNOHANG) != 0;
}

asio::awaitable<void> see_off(asio::io_context& io, std::unique_ptr<EndingGroup> group) {
  asio::steady_timer timer(io);
  while (!group->over()) {
    timer.expires_after(kLook);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace kevolve::engine
