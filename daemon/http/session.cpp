// One connection: reads requests within limits, has them answered, writes answers and events.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "daemon/http/admission.hpp"
#include "daemon/http/event_cursor.hpp"
#include "daemon/http/server_impl.hpp"

namespace kevolve::http {
namespace {

namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMostBuffered = 64 * 1024;  // headers, and the beginning of what follows
constexpr std::size_t kReadAtOnce = 4096;
constexpr std::size_t kSendBuffer = 256 * 1024;  // of the kernel, for each client that follows events
constexpr std::chrono::milliseconds kLingerTime{1000};
constexpr std::size_t kMostDiscarded = std::size_t{1} << 20;

auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

constexpr std::string_view kEventsHeader =
    "200 OK\r\nServer: kevolved\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\nConnection: close\r\n";

}  // namespace

struct Session::Buffer {
  beast::flat_buffer bytes{kMostBuffered};
};

struct Session::Request {
  explicit Request(const HttpLimits& limits) {
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
  }
  [[nodiscard]] bool old_protocol() const { return parser.get().version() < 11; }

  beast::http::request_parser<beast::http::string_body> parser;
  std::optional<Refusal> refusal;
  Match match;
  bool unread = true;   ///< more of it may come, which must not be taken for the next request
  bool closed = false;  ///< the client is gone, or said nothing
};

Session::Session(Server::Impl& server, tcp::socket socket)
    : server_(server), socket_(std::move(socket)), timer_(*server.io), buffer_(std::make_unique<Buffer>()) {
  server_.sessions.insert(this);
}

Session::~Session() {
  server_.sessions.erase(this);
}

asio::awaitable<void> Session::run() {
  const auto alive = shared_from_this();
  try {
    while (co_await serve_one()) {
    }
  } catch (const std::exception&) {
    // Out of memory, say: this connection ends, others go on.
  }
  error_code ignored;
  socket_.close(ignored);
  gone_ = true;
}

void Session::check_clock(Clock::time_point now) {
  if (now <= deadline_) return;
  never_expire();
  error_code ignored;
  socket_.cancel(ignored);
}

void Session::stop_when_idle() {
  error_code ignored;
  if (idle_) socket_.cancel(ignored);
}

void Session::abandon() {
  gone_ = true;
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Session::wait(const std::function<bool()>& done, Clock::time_point deadline) {
  while (!done() && !gone_ && Clock::now() < deadline) {
    timer_.expires_at(deadline);
    error_code ignored;
    co_await timer_.async_wait(into(ignored));
  }
}

/// The first byte of the next request; false when none comes.
asio::awaitable<bool> Session::await_request() {
  if (buffer_->bytes.size() > 0) co_return !server_.stopping;
  if (server_.stopping) co_return false;
  expire_in(first_ ? server_.settings.limits.header_time : server_.settings.limits.idle_time);
  first_ = false;
  idle_ = true;
  error_code error;
  const std::size_t got = co_await socket_.async_read_some(buffer_->bytes.prepare(kReadAtOnce), into(error));
  idle_ = false;
  buffer_->bytes.commit(got);
  co_return !error;
}

asio::awaitable<void> Session::read_header(Request& request) {
  const HttpLimits& limits = server_.settings.limits;
  expire_in(limits.header_time);
  error_code error;
  co_await beast::http::async_read_header(socket_, buffer_->bytes, request.parser, into(error));
  using Fault = beast::http::error;
  const bool no_target = request.parser.get().target().empty();
  if (!error) {
    co_return;
  } else if (error == asio::error::operation_aborted) {
    request.refusal = Refusal{408, "timeout", "the header of the request did not arrive in time"};
  } else if (error == Fault::header_limit || error == Fault::buffer_overflow) {
    request.refusal = no_target
                          ? Refusal{414, "path_too_long", "the path has no end"}
                          : Refusal{431, "header_too_large",
                                    fmt::format("the header has more than {} bytes", limits.header_bytes)};
  } else if (error == Fault::body_limit) {
    request.refusal =
        Refusal{413, "body_too_large", fmt::format("the body has more than {} bytes", limits.body_bytes)};
  } else if (error == Fault::end_of_stream || error == Fault::partial_message ||
             error.category() != make_error_code(Fault::bad_method).category()) {
    request.closed = true;
  } else {
    request.refusal = Refusal{400, "bad_request", fmt::format("malformed HTTP request: {}", error.message())};
  }
}

asio::awaitable<void> Session::read_body(Request& request) {
  const HttpLimits& limits = server_.settings.limits;
  expire_in(limits.body_time);
  error_code error;
  if (view(request.parser.get()[beast::http::field::expect]) == "100-continue") {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(socket_, asio::buffer(kContinue), into(error));
  }
  if (!error) co_await beast::http::async_read(socket_, buffer_->bytes, request.parser, into(error));
  if (!error) {
    request.unread = false;
  } else if (error == asio::error::operation_aborted) {
    request.refusal = Refusal{408, "timeout", "the body of the request did not arrive in time"};
  } else if (error == beast::http::error::body_limit) {
    request.refusal =
        Refusal{413, "body_too_large", fmt::format("the body has more than {} bytes", limits.body_bytes)};
  } else if (error == beast::http::error::partial_message ||
             error.category() != make_error_code(beast::http::error::bad_method).category()) {
    request.closed = true;
  } else {
    request.refusal = Refusal{400, "bad_request", fmt::format("malformed HTTP body: {}", error.message())};
  }
}

namespace {

/// What of the header decides; `message` outlives it.
RequestHead head_of(const beast::http::request<beast::http::string_body>& message, bool chunked,
                    std::optional<std::uint64_t> content_length) {
  using beast::http::field;
  RequestHead head;
  head.method = view(message.method_string());
  head.target = view(message.target());
  head.host = view(message[field::host]);
  head.authorization = view(message[field::authorization]);
  head.content_type = view(message[field::content_type]);
  head.hosts = static_cast<int>(message.count(field::host));
  head.old_protocol = message.version() < 11;
  head.chunked = chunked;
  head.content_length = content_length;
  return head;
}

}  // namespace

asio::awaitable<bool> Session::serve_one() {
  if (!co_await await_request()) co_return false;
  Request request(server_.settings.limits);
  co_await read_header(request);
  if (request.closed) co_return false;
  if (!request.refusal) {
    const auto length = request.parser.content_length();
    const RequestHead head = head_of(request.parser.get(), request.parser.chunked(),
                                     length ? std::optional<std::uint64_t>(*length) : std::nullopt);
    request.unread = head.chunked || head.content_length.value_or(0) > 0;
    auto admitted = admit(server_.rules, head, server_.settings.limits.target_bytes);
    if (admitted)
      request.match = std::move(*admitted);
    else
      request.refusal = admitted.error();
  }
  if (!request.refusal && request.unread) co_await read_body(request);
  if (request.closed) co_return false;
  never_expire();
  Answer answer;
  if (request.refusal) {
    answer = refusal_answer(*request.refusal);
  } else if (request.match.route != nullptr && request.match.route->endpoint == Endpoint::events &&
             request.parser.get().method() == beast::http::verb::get) {
    co_await stream_events(request);
    co_return false;
  } else {
    answer = co_await answer_request(server_, *this, request.match, std::move(request.parser.get().body()));
  }
  co_return co_await write(std::move(answer), request);
}

/// True when the connection serves another request.
asio::awaitable<bool> Session::write(Answer answer, const Request& request) {
  const auto& asked = request.parser.get();
  const bool keep = !request.unread && asked.keep_alive() && !server_.stopping;
  server_.count(request.match.route != nullptr ? request.match.route->path : "other", answer.status);
  beast::http::response<beast::http::string_body> response;
  response.result(static_cast<unsigned>(answer.status));
  response.version(asked.version() < 11 ? 10 : 11);
  response.set(beast::http::field::server, "kevolved");
  response.set(beast::http::field::date,
               fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  response.set(beast::http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  if (answer.status != 204) {
    response.set(beast::http::field::content_type, answer.content_type);
    response.content_length(answer.body.size());
    if (asked.method() != beast::http::verb::head) response.body() = std::move(answer.body);
  }
  response.keep_alive(keep);
  expire_in(server_.settings.limits.write_time + std::chrono::seconds(response.body().size() / (64 * 1024)));
  error_code error;
  co_await beast::http::async_write(socket_, response, into(error));
  if (!error && !keep) co_await linger();
  co_return !error && keep;
}

/// Closing while the client still writes would take the answer away from it.
asio::awaitable<void> Session::linger() {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  expire_in(kLingerTime);
  std::array<char, kReadAtOnce> discarded{};
  for (std::size_t total = 0; !error && total < kMostDiscarded;)
    total += co_await socket_.async_read_some(asio::buffer(discarded), into(error));
}

asio::awaitable<bool> Session::write_all(std::string text) {
  expire_in(server_.settings.limits.write_time + std::chrono::seconds(text.size() / (64 * 1024)));
  error_code error;
  co_await asio::async_write(socket_, asio::buffer(text), into(error));
  never_expire();
  co_return !error && !gone_;
}

asio::awaitable<void> Session::notice_end() {
  const auto alive = shared_from_this();
  std::array<char, kReadAtOnce> ignored_input{};
  error_code error;
  std::size_t total = 0;
  while (!error && total < kMostBuffered)
    total += co_await socket_.async_read_some(asio::buffer(ignored_input), into(error));
  gone_ = true;
  timer_.cancel();
}

namespace {

std::string parameter(const Match& match, std::string_view name) {
  const auto found = match.query.find(name);
  return found == match.query.end() ? std::string() : found->second;
}

std::string chunk(std::string_view text, bool chunked) {
  return chunked ? fmt::format("{:x}\r\n{}\r\n", text.size(), text) : std::string(text);
}

}  // namespace

asio::awaitable<void> Session::stream_events(const Request& request) {
  server_.count(request.match.route->path, 200);
  std::string after(view(request.parser.get()["Last-Event-ID"]));
  if (after.empty()) after = parameter(request.match, "after");
  EventCursor cursor(server_.log, after, parameter(request.match, "job"));
  const bool chunked = !request.old_protocol(), follow = parameter(request.match, "follow") != "0";
  error_code ignored;
  socket_.set_option(tcp::socket::send_buffer_size(kSendBuffer), ignored);
  following_ = true;
  ++server_.followers;
  const auto alive = shared_from_this();
  asio::co_spawn(
      *server_.io, [alive]() -> asio::awaitable<void> { return alive->notice_end(); }, asio::detached);
  bool well = co_await write_all(fmt::format("HTTP/1.{} {}{}\r\n", chunked ? 1 : 0, kEventsHeader,
                                             chunked ? "Transfer-Encoding: chunked\r\n" : ""));
  Clock::time_point quiet_until = Clock::now() + server_.settings.limits.heartbeat;
  while (well && !gone_) {
    const bool caught_up = cursor.caught_up();
    std::string text = cursor.next();
    if (text.empty() && caught_up) {
      if (server_.stopping || !follow) break;
      if (Clock::now() < quiet_until) {
        timer_.expires_at(quiet_until);
        co_await timer_.async_wait(into(ignored));
        continue;
      }
      text = cursor.heartbeat();
    }
    if (text.empty()) continue;
    well = co_await write_all(chunk(text, chunked));
    quiet_until = Clock::now() + server_.settings.limits.heartbeat;
  }
  if (well && !gone_ && chunked) co_await write_all("0\r\n\r\n");
  following_ = false;
  --server_.followers;
}

}  // namespace kevolve::http
