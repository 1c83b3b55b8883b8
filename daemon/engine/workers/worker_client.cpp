#include "daemon/engine/workers/worker_client.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <utility>

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

std::string see_log(const WorkerCommand& command) {
  return command.log.empty() ? std::string() : fmt::format(" (its log: {})", command.log.string());
}

void set_id(WorkerRequest& request, const std::string& id) {
  std::visit([&](auto& r) { r.id = id; }, request);
}

/// 0 for an id that this program never gave.
std::uint64_t id_of(const WorkerReply& reply) {
  const std::string text = std::visit(
      [](const auto& r) -> std::string {
        if constexpr (requires { r.id; }) return r.id;
        return {};
      },
      reply);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

}  // namespace

WorkerClient::WorkerClient(asio::io_context& io, WorkerCommand command)
    : io_(io), command_(std::move(command)), hello_timer_(io) {}

asio::awaitable<Result<std::shared_ptr<WorkerClient>>> WorkerClient::start(asio::io_context& io,
                                                                           WorkerCommand command,
                                                                           std::chrono::seconds deadline,
                                                                           bool* killed) {
  auto client = std::make_shared<WorkerClient>(io, std::move(command));
  CO_TRY_DO(client->spawn());
  client->hello_timer_.expires_after(deadline);
  boost::system::error_code ignored;
  if (!client->hello_ && !client->ended()) {
    co_await client->hello_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (client->hello_ && !client->ended()) co_return client;
  if (killed != nullptr) *killed = client->killed_;
  client->stop(fmt::format("it said nothing within {} s", deadline.count()));
  co_return failure(fmt::format("the worker '{}' did not start: {}{}", in_words(client->command_),
                                *client->end_reason_, see_log(client->command_)));
}

Result<void> WorkerClient::spawn() {
  WorkerProcess::Handlers handlers;
  handlers.line = [weak = weak_from_this()](const std::string& line) {
    if (const auto client = weak.lock()) client->on_line(line);
  };
  handlers.ended = [weak = weak_from_this()](const std::string& why, bool killed) {
    const auto client = weak.lock();
    if (!client) return;
    client->killed_ = killed;
    client->end(why);
  };
  TRY(process_, WorkerProcess::start(io_, command_, std::move(handlers)));
  last_life_ = std::chrono::steady_clock::now();
  return {};
}

void WorkerClient::on_line(const std::string& line) {
  last_life_ = std::chrono::steady_clock::now();
  Result<WorkerReply> reply = reply_from_line(line);
  if (!reply) {
    return end(fmt::format("the worker said something that is not its protocol: {}", reply.error().message));
  }
  if (const auto* hello = std::get_if<Hello>(&*reply)) return greet(*hello);
  const auto waiting = pending_.find(id_of(*reply));
  if (waiting == pending_.end()) return;
  ++answered_;
  waiting->second->reply = std::move(*reply);
  waiting->second->timer.cancel();
}

void WorkerClient::greet(const Hello& hello) {
  if (hello.protocol != kWorkerProtocolVersion) {
    return end(fmt::format("it speaks protocol {}, this program {}: install the same version on both sides",
                           hello.protocol, kWorkerProtocolVersion));
  }
  hello_ = hello;
  hello_timer_.cancel();
}

void WorkerClient::end(const std::string& why) {
  if (ended()) return;
  end_reason_ = why;
  if (process_) process_->end();
  hello_timer_.cancel();
  bool suspect = true;
  for (auto& [id, pending] : pending_) {
    if (pending->reply) continue;
    pending->reply = tl::unexpected(WorkerLoss{why + see_log(command_), suspect});
    pending->timer.cancel();
    suspect = false;
  }
  if (on_end_) std::exchange(on_end_, nullptr)(why);
}

void WorkerClient::stop(const std::string& why) {
  on_end_ = nullptr;
  end(why);
}

asio::awaitable<tl::expected<WorkerReply, WorkerLoss>> WorkerClient::request(WorkerRequest request,
                                                                             std::chrono::seconds deadline) {
  if (ended()) co_return tl::unexpected(WorkerLoss{*end_reason_, false});
  const std::uint64_t id = next_id_++;
  set_id(request, std::to_string(id));
  const auto pending = std::make_shared<Pending>(Pending{asio::steady_timer(io_), std::nullopt});
  pending_[id] = pending;
  process_->send(to_line(request));
  const auto self = shared_from_this();
  const auto begin = std::chrono::steady_clock::now();
  while (!pending->reply) {
    const auto due = std::max(begin, last_life_) + deadline;
    if (std::chrono::steady_clock::now() >= due) {
      end(fmt::format("the worker gave no sign of life for {} s", deadline.count()));
      continue;
    }
    pending->timer.expires_at(due);
    boost::system::error_code ignored;
    co_await pending->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  pending_.erase(id);
  co_return std::move(*pending->reply);
}

}  // namespace kevolve::engine
