#include "daemon/http/client.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace kevolve::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::uint64_t kMostAnswerBytes = std::uint64_t{256} << 20;
constexpr std::chrono::seconds kSilence{45};  // of a stream whose heartbeat comes every 15 s

auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

CallFailure unreachable(const ServiceAddress& address, std::string_view what, const error_code& error) {
  return {0, "unreachable",
          fmt::format("kevolved at {}:{} {}: {}", address.host, address.port, what,
                      error == beast::error::timeout ? "no answer in time" : error.message())};
}

/// The API's own words where the answer is one of its errors.
CallFailure refused(int status, const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const Json& error = json["error"];
    return {status, error.value("kind", "unknown"), error.value("message", "")};
  }
  return {status, "unknown",
          fmt::format("answered {}: it is not a kevolved, or stands behind something else", status)};
}

}  // namespace

/// One connection for one request.
struct Client::Exchange {
  explicit Exchange(const Client& the_client) : client(the_client), stream(io) {}

  asio::awaitable<error_code> connect() {
    error_code error;
    asio::ip::tcp::resolver resolver(io);
    const auto found = co_await resolver.async_resolve(client.address_.host,
                                                       std::to_string(client.address_.port), into(error));
    if (error) co_return error;
    stream.expires_after(client.patience_);
    co_await stream.async_connect(found, into(error));
    co_return error;
  }

  asio::awaitable<error_code> send(std::string_view method, std::string_view path, const std::string* body,
                                   std::string_view last_id) {
    using beast::http::field;
    beast::http::request<beast::http::string_body> request;
    request.method_string({method.data(), method.size()});
    request.target({path.data(), path.size()});
    request.version(11);
    const bool six = client.address_.host.find(':') != std::string::npos;
    request.set(field::host, fmt::format(fmt::runtime(six ? "[{}]:{}" : "{}:{}"), client.address_.host,
                                         client.address_.port));
    request.set(field::user_agent, "kevolve");
    if (!client.token_.empty()) request.set(field::authorization, "Bearer " + client.token_);
    if (!last_id.empty()) request.set("Last-Event-ID", std::string(last_id));
    request.keep_alive(false);
    if (body != nullptr) {
      request.set(field::content_type, "application/json");
      request.body() = *body;
      request.prepare_payload();
    }
    stream.expires_after(client.patience_);
    error_code error;
    co_await beast::http::async_write(stream, request, into(error));
    co_return error;
  }

  /// Runs a coroutine to its end. Every wait in it has a deadline.
  template <class Value>
  Value run(asio::awaitable<Value> work) {
    std::optional<Value> value;
    asio::co_spawn(io, std::move(work), [&value](const std::exception_ptr& thrown, Value result) {
      if (!thrown) value = std::move(result);
    });
    io.run();
    if (value) return std::move(*value);
    return tl::unexpected<CallFailure>(CallFailure{0, "unreachable", "the connection failed: out of memory"});
  }

  const Client& client;
  asio::io_context io;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

Client::Client(ServiceAddress address, std::string token, std::chrono::milliseconds patience)
    : address_(std::move(address)), token_(std::move(token)), patience_(patience) {}

CallResult<std::string> Client::exchange(std::string_view method, std::string_view path,
                                         const std::string* body) {
  Exchange exchange(*this);
  const auto fail = [this](std::string_view what, const error_code& error) {
    return tl::unexpected<CallFailure>(unreachable(address_, what, error));
  };
  const auto work = [&]() -> asio::awaitable<CallResult<std::string>> {
    error_code error = co_await exchange.connect();
    if (error) co_return fail("cannot be reached", error);
    error = co_await exchange.send(method, path, body, {});
    // A refusal may come before all was sent.
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kMostAnswerBytes);
    exchange.stream.expires_after(patience_);
    co_await beast::http::async_read(exchange.stream, exchange.buffer, parser, into(error));
    if (error) co_return fail("gave no answer", error);
    const auto status = static_cast<int>(parser.get().result_int());
    if (status >= 300) co_return tl::unexpected<CallFailure>(refused(status, parser.get().body()));
    co_return std::move(parser.get().body());
  };
  return exchange.run(work());
}

CallResult<std::string> Client::get_text(std::string_view path) {
  return exchange("GET", path, nullptr);
}

namespace {

CallResult<Json> as_json(const CallResult<std::string>& text) {
  if (!text) return tl::unexpected<CallFailure>(text.error());
  Json json = Json::parse(*text, nullptr, false);
  if (json.is_discarded())
    return tl::unexpected<CallFailure>(
        CallFailure{0, "unreachable", "what answered is not a kevolved: its answer is not JSON"});
  return json;
}

}  // namespace

CallResult<Json> Client::get(std::string_view path) {
  return as_json(exchange("GET", path, nullptr));
}

CallResult<Json> Client::send(std::string_view method, std::string_view path, const Json& body) {
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return as_json(exchange(method, path, &text));
}

CallResult<std::string> Client::follow(std::string_view path, std::string_view last_id,
                                       const SseReader::Callback& callback) {
  Exchange exchange(*this);
  SseReader reader;
  const auto fail = [this](std::string_view what, const error_code& error) {
    return tl::unexpected<CallFailure>(unreachable(address_, what, error));
  };
  const auto work = [&]() -> asio::awaitable<CallResult<std::string>> {
    error_code error = co_await exchange.connect();
    if (error) co_return fail("cannot be reached", error);
    error = co_await exchange.send("GET", path, nullptr, last_id);
    if (error) co_return fail("gave no answer", error);
    beast::http::response_parser<beast::http::buffer_body> parser;
    parser.body_limit(boost::none);
    exchange.stream.expires_after(patience_);
    co_await beast::http::async_read_header(exchange.stream, exchange.buffer, parser, into(error));
    if (error) co_return fail("gave no answer", error);
    std::string refusal;
    bool enough = false;
    std::array<char, 16384> bytes{};
    while (!parser.is_done() && !enough) {
      parser.get().body().data = bytes.data();
      parser.get().body().size = bytes.size();
      exchange.stream.expires_after(kSilence);
      co_await beast::http::async_read_some(exchange.stream, exchange.buffer, parser, into(error));
      if (error && error != beast::http::error::need_buffer) co_return fail("stopped sending events", error);
      const std::string_view text(bytes.data(), bytes.size() - parser.get().body().size);
      if (parser.get().result_int() >= 300)
        refusal += text;
      else
        enough = !reader.feed(text, callback);
    }
    if (parser.get().result_int() >= 300)
      co_return tl::unexpected<CallFailure>(refused(static_cast<int>(parser.get().result_int()), refusal));
    co_return reader.last_id();
  };
  return exchange.run(work());
}

}  // namespace kevolve::http
