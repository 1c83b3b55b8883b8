#include "daemon/engine/workers/worker_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstring>
#include <utility>

namespace kevolve {
namespace asio = boost::asio;
namespace {

/// A reply holds at most one evaluation with its samples and log.
constexpr std::size_t kLongestLine = 64u << 20;

std::string in_words(const WorkerCommand& command) {
  return fmt::format("{}", fmt::join(command.argv, " "));
}

std::string see_log(const WorkerCommand& command) {
  return command.log.empty() ? std::string() : fmt::format(" (its log: {})", command.log.string());
}

void set_id(WorkerRequest& request, const std::string& id) {
  std::visit([&](auto& r) { r.id = id; }, request);
}

/// 0 for what is no number of ours.
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

/// How a child ended, where it has by itself: " (exit code 3)".
std::string in_words(int status) {
  if (WIFSIGNALED(status)) return fmt::format(" (signal {})", WTERMSIG(status));
  return fmt::format(" (exit code {})", WEXITSTATUS(status));
}

}  // namespace

WorkerClient::WorkerClient(asio::io_context& io, WorkerCommand command)
    : io_(io), command_(std::move(command)), stdin_(io), stdout_(io), hello_timer_(io) {}

WorkerClient::~WorkerClient() {
  if (child_ > 0) EndingGroup(child_, EndingGroup::Leader::runs);  // the loop may be gone: waits
}

asio::awaitable<Result<std::shared_ptr<WorkerClient>>> WorkerClient::start(asio::io_context& io,
                                                                           WorkerCommand command,
                                                                           std::chrono::seconds deadline,
                                                                           bool* killed) {
  auto client = std::make_shared<WorkerClient>(io, std::move(command));
  if (const Result<void> spawned = client->spawn(); !spawned) co_return failure(spawned.error());
  client->hello_timer_.expires_after(deadline);
  boost::system::error_code ignored;
  if (!client->has_hello_ && !client->ended_) {
    co_await client->hello_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (client->has_hello_ && !client->ended_) co_return client;
  if (killed != nullptr) *killed = client->killed_;
  client->stop(fmt::format("it said nothing within {} s", deadline.count()));
  co_return failure(fmt::format("the worker '{}' did not start: {}{}", in_words(client->command_),
                                client->end_reason_, see_log(client->command_)));
}

WorkerCommand numbered(WorkerCommand command, int number) {
  constexpr std::string_view kPlace = "{worker}";
  for (std::string& word : command.argv) {
    for (std::size_t at = word.find(kPlace); at != std::string::npos; at = word.find(kPlace, at))
      word.replace(at, kPlace.size(), std::to_string(number));
  }
  return command;
}

Result<void> WorkerClient::spawn() {
  int to_child[2], from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0) return failure(fmt::format("pipe: {}", std::strerror(errno)));
  if (::pipe2(from_child, O_CLOEXEC) != 0) {
    ::close(to_child[0]);
    ::close(to_child[1]);
    return failure(fmt::format("pipe: {}", std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
  if (!command_.log.empty()) {
    posix_spawn_file_actions_addopen(&actions, 2, command_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  }
  // A group of its own: Ctrl-C reaches kevolve, which then ends its workers in order.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  for (std::string& word : command_.argv) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int error = posix_spawnp(&child_, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(to_child[0]);
  ::close(from_child[1]);
  if (error != 0) {
    ::close(to_child[1]);
    ::close(from_child[0]);
    child_ = -1;
    return failure(fmt::format("cannot start the worker '{}': {}", in_words(command_), std::strerror(error)));
  }
  stdin_ = asio::posix::stream_descriptor(io_, to_child[1]);
  stdout_ = asio::posix::stream_descriptor(io_, from_child[0]);
  last_life_ = std::chrono::steady_clock::now();
  asio::co_spawn(io_, read_lines(shared_from_this()), asio::detached);
  return {};
}

/// The launcher and what it started: all of the child's group.
void WorkerClient::end_child(EndingGroup::Leader state) {
  if (child_ <= 0) return;
  auto group = std::make_unique<EndingGroup>(std::exchange(child_, -1), state);
  asio::co_spawn(io_, see_off(io_, std::move(group)), asio::detached);
}

void WorkerClient::send(const std::string& line) {
  outgoing_.push_back(line + "\n");
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(io_, write_lines(shared_from_this()), asio::detached);
}

asio::awaitable<void> WorkerClient::write_lines(std::shared_ptr<WorkerClient> self) {
  boost::system::error_code error;
  while (!self->ended_ && !error && !self->outgoing_.empty()) {
    const std::string line = std::move(self->outgoing_.front());
    self->outgoing_.pop_front();
    co_await asio::async_write(self->stdin_, asio::buffer(line),
                               asio::redirect_error(asio::use_awaitable, error));
  }  // the reader sees the death
  self->writing_ = false;
}

asio::awaitable<void> WorkerClient::read_lines(std::shared_ptr<WorkerClient> self) {
  std::string buffer;
  boost::system::error_code error;
  while (!self->ended_) {
    const std::size_t size =
        co_await asio::async_read_until(self->stdout_, asio::dynamic_buffer(buffer, kLongestLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (self->ended_) co_return;
    if (error) {
      // Its output ends a moment before it can be asked how it ended.
      asio::steady_timer moment(self->io_, std::chrono::milliseconds(20));
      co_await moment.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (self->ended_) co_return;
      int status = 0;
      const bool by_itself = ::waitpid(self->child_, &status, WNOHANG) > 0;
      if (by_itself) self->end_child(EndingGroup::Leader::was_reaped);
      self->killed_ = by_itself && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
      self->end("the worker ended unexpectedly" + (by_itself ? in_words(status) : std::string()));
      co_return;
    }
    const std::string line = buffer.substr(0, size - 1);
    buffer.erase(0, size);
    self->last_life_ = std::chrono::steady_clock::now();
    self->on_line(line);
  }
}

void WorkerClient::on_line(const std::string& line) {
  Result<WorkerReply> reply = reply_from_line(line);
  if (!reply) {
    end(fmt::format("the worker said something that is not its protocol: {}", reply.error().message));
    return;
  }
  if (const auto* hello = std::get_if<Hello>(&*reply)) {
    if (hello->protocol != kWorkerProtocolVersion) {
      end(fmt::format("it speaks protocol {}, this program {}: install the same version on both sides",
                      hello->protocol, kWorkerProtocolVersion));
      return;
    }
    hello_ = *hello;
    has_hello_ = true;
    hello_timer_.cancel();
    return;
  }
  const auto waiting = pending_.find(id_of(*reply));
  if (waiting == pending_.end()) return;
  ++answered_;
  waiting->second->reply = std::move(*reply);
  waiting->second->timer.cancel();
}

void WorkerClient::end(const std::string& why) {
  if (ended_) return;
  ended_ = true;
  end_reason_ = why;
  boost::system::error_code ignored;
  stdin_.close(ignored);
  stdout_.close(ignored);
  end_child(EndingGroup::Leader::runs);
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
  if (ended_) co_return tl::unexpected(WorkerLoss{end_reason_, false});
  const std::uint64_t id = next_id_++;
  set_id(request, std::to_string(id));
  auto pending = std::make_shared<Pending>(Pending{to_line(request), asio::steady_timer(io_), std::nullopt});
  pending_[id] = pending;
  send(pending->line);
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

}  // namespace kevolve
