#include "daemon/http/server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "daemon/http/server_impl.hpp"

namespace kevolve::http {
namespace {

using asio::ip::tcp;
constexpr std::chrono::milliseconds kClockPeriod{100};
constexpr std::chrono::milliseconds kAfterFailedAccept{100};  // no file descriptors left, say

/// Without reading what the client asks: there may be very many of them.
void turn_away(tcp::socket socket) {
  const Answer answer = refusal_answer({503, "busy", "too many connections"});
  const std::string text = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: "
      "{}\r\nRetry-After: "
      "1\r\nConnection: close\r\n\r\n{}",
      answer.body.size(), answer.body);
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

Server::Impl::Impl(HttpSettings http_settings, service::Service& the_service, service::EventLog& event_log,
                   std::filesystem::path archive_path)
    : settings(std::move(http_settings)),
      service(the_service),
      log(event_log),
      archive(std::move(archive_path)) {}

Result<void> Server::Impl::listen() {
  const Result<AccessRules> allowed = access_rules(settings.address, settings.token);
  if (!allowed) return failure(allowed.error().in("http"));
  rules = *allowed;
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(settings.address, error);
  if (error) {
    return failure(fmt::format(
        "http.address: '{}' is not an IP address; expected one such as 127.0.0.1 or ::1", settings.address));
  }
  const tcp::endpoint endpoint(address, settings.port);
  const auto step = [&](auto&& act) {
    if (!error) act();
  };
  step([&] { acceptor.open(endpoint.protocol(), error); });
  step([&] { acceptor.set_option(tcp::acceptor::reuse_address(true), error); });
  step([&] { acceptor.bind(endpoint, error); });
  step([&] { acceptor.listen(1024, error); });
  step([&] { port = acceptor.local_endpoint(error).port(); });
  if (error) {
    return failure(fmt::format("http: cannot listen on {}:{}: {}; is another kevolved running there?",
                               settings.address, settings.port, error.message()));
  }
  return {};
}

void Server::Impl::run() {
  asio::co_spawn(*io, accept(), asio::detached);
  asio::co_spawn(*io, watch_clocks(), asio::detached);
  io->run();
}

asio::awaitable<void> Server::Impl::accept() {
  asio::steady_timer pause(*io);
  for (;;) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping) co_return;
    if (error) {
      pause.expires_after(kAfterFailedAccept);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (sessions.size() >= settings.limits.connections) {
      turn_away(std::move(socket));
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    const auto session = std::make_shared<Session>(*this, std::move(socket));
    asio::co_spawn(
        *io, [session]() -> asio::awaitable<void> { return session->run(); }, asio::detached);
  }
}

asio::awaitable<void> Server::Impl::watch_clocks() {
  asio::steady_timer timer(*io);
  while (!stopping || !sessions.empty()) {
    timer.expires_after(kClockPeriod);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const Clock::time_point now = Clock::now();
    for (Session* session : sessions) {
      if (now > abandon_at_)
        session->abandon();
      else
        session->check_clock(now);
    }
  }
}

void Server::Impl::wake_followers() {
  woken = false;
  for (Session* session : sessions) {
    if (session->following()) session->wake();
  }
}

void Server::Impl::end(std::chrono::milliseconds grace) {
  stopping = true;
  abandon_at_ = Clock::now() + grace;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  for (Session* session : sessions) {
    session->stop_when_idle();
    if (session->following()) session->wake();
  }
}

Server::Server(HttpSettings settings, service::Service& service, service::EventLog& log,
               std::filesystem::path archive)
    : impl_(std::make_unique<Impl>(std::move(settings), service, log, std::move(archive))) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  if (const Result<void> listening = impl_->listen(); !listening) return listening;
  const HttpLimits& limits = impl_->settings.limits;
  impl_->pool = std::make_unique<QueryPool>(impl_->archive, limits.query_threads, limits.waiting_queries);
  Impl* impl = impl_.get();
  impl->follower = impl->log.follow([impl] {  // the log's mutex is held: posts, once until that was seen
    if (impl->woken.exchange(true)) return;
    asio::post(*impl->io, [impl] { impl->wake_followers(); });
  });
  impl->thread = std::thread([impl] { impl->run(); });
  return {};
}

void Server::stop(std::chrono::milliseconds grace) {
  if (!impl_->thread.joinable()) return;
  impl_->log.unfollow(impl_->follower);
  asio::post(*impl_->io, [impl = impl_.get(), grace] { impl->end(grace); });
  impl_->thread.join();
  impl_->pool->stop();
}

std::uint16_t Server::port() const {
  return impl_->port;
}

}  // namespace kevolve::http
