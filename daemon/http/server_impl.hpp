#pragma once
// Server::Impl and Session: what the server's source files share. Everything here belongs to the server's
// thread, but for what is said otherwise.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "daemon/http/access.hpp"
#include "daemon/http/metrics.hpp"
#include "daemon/http/query_pool.hpp"
#include "daemon/http/router.hpp"
#include "daemon/http/server.hpp"

namespace kevolve::http {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

class Session;

struct Server::Impl {
  Impl(HttpSettings http_settings, service::Service& the_service, service::EventLog& event_log,
       std::filesystem::path archive_path);

  Result<void> listen();
  void run();  ///< the server's thread
  void end(std::chrono::milliseconds grace);
  void wake_followers();
  void count(std::string_view route, int status) { ++answered[{std::string(route), status}]; }

  const HttpSettings settings;
  AccessRules rules;
  service::Service& service;
  service::EventLog& log;
  const std::filesystem::path archive;
  /// Shared with replies of the service, which may come when the server is gone.
  const std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  asio::ip::tcp::acceptor acceptor{*io};
  std::uint16_t port = 0;
  ArchiveTotals totals;
  std::unique_ptr<QueryPool> pool;
  std::set<Session*> sessions;
  std::size_t followers = 0;
  bool stopping = false;  ///< finishes running requests and takes no others
  std::map<std::pair<std::string, int>, std::uint64_t> answered;  ///< by route and status
  std::atomic<bool> woken = false;  ///< any thread: new events are announced already
  int follower = 0;
  std::thread thread;

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> watch_clocks();
  Clock::time_point abandon_at_ = Clock::time_point::max();
};

/// One connection. Lives as long as one of its coroutines.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Server::Impl& server, asio::ip::tcp::socket socket);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  asio::awaitable<void> run();
  /// Ends what the connection waits for when its time is over; called every now and then.
  void check_clock(Clock::time_point now);
  void wake() { timer_.cancel(); }
  void stop_when_idle();
  void abandon();
  [[nodiscard]] bool following() const { return following_; }

  /// Waits for `done`, until `deadline`, until the connection is abandoned.
  asio::awaitable<void> wait(const std::function<bool()>& done, Clock::time_point deadline);

 private:
  struct Request;
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> await_request();
  asio::awaitable<void> read_header(Request& request);
  asio::awaitable<void> read_body(Request& request);
  asio::awaitable<bool> write(Answer answer, const Request& request);
  asio::awaitable<void> linger();
  asio::awaitable<void> stream_events(const Request& request);
  asio::awaitable<bool> write_all(std::string text);
  asio::awaitable<void> notice_end();  ///< of the client, while events are written to it
  void expire_in(std::chrono::milliseconds time) { deadline_ = Clock::now() + time; }
  void never_expire() { deadline_ = Clock::time_point::max(); }

  struct Buffer;  ///< keeps Beast out of this header
  Server::Impl& server_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::unique_ptr<Buffer> buffer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool first_ = true, idle_ = false, following_ = false, gone_ = false;
};

/// Answers everything but events.
asio::awaitable<Answer> answer_request(Server::Impl& server, Session& session, Match match, std::string body);

}  // namespace kevolve::http
