#include "daemon/worker_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
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
#include <cstring>

namespace kevolve {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kHelloDeadline{60};
/// A worker that ends before it said hello (it, or what it ran, was killed) is started so often in all.
constexpr int kMostStarts = 3;
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

std::string id_of(const WorkerReply& reply) {
  return std::visit(
      [](const auto& r) -> std::string {
        if constexpr (requires { r.id; }) return r.id;
        return {};
      },
      reply);
}

}  // namespace

WorkerClient::WorkerClient(asio::io_context& io, WorkerCommand command)
    : io_(io), command_(std::move(command)), stdin_(io), stdout_(io), hello_timer_(io) {}

WorkerClient::~WorkerClient() {
  if (child_ > 0) ::kill(child_, SIGKILL);
  reap();
}

asio::awaitable<Result<std::shared_ptr<WorkerClient>>> WorkerClient::start(asio::io_context& io,
                                                                           WorkerCommand command) {
  auto client = std::make_shared<WorkerClient>(io, std::move(command));
  if (const Result<void> spawned = client->spawn(); !spawned) co_return failure(spawned.error());
  client->hello_timer_.expires_after(kHelloDeadline);
  boost::system::error_code ignored;
  if (!client->has_hello_ && !client->start_error_) {
    co_await client->hello_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (client->has_hello_) co_return client;
  const std::string why = client->start_error_
                              ? client->start_error_->message
                              : fmt::format("it said nothing within {} s", kHelloDeadline.count());
  client->stop(why);
  co_return failure(fmt::format("the worker '{}' did not start: {}{}", in_words(client->command_), why,
                                see_log(client->command_)));
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
  ++generation_;
  writing_ = false;
  outgoing_.clear();
  stdin_ = asio::posix::stream_descriptor(io_, to_child[1]);
  stdout_ = asio::posix::stream_descriptor(io_, from_child[0]);
  last_life_ = std::chrono::steady_clock::now();
  asio::co_spawn(io_, read_lines(shared_from_this(), generation_), asio::detached);
  return {};
}

void WorkerClient::reap() {
  if (child_ <= 0) return;
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

void WorkerClient::send(std::string line) {
  outgoing_.push_back(std::move(line) + "\n");
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(io_, write_lines(shared_from_this(), generation_), asio::detached);
}

asio::awaitable<void> WorkerClient::write_lines(std::shared_ptr<WorkerClient> self, int generation) {
  boost::system::error_code error;
  while (generation == self->generation_ && !self->outgoing_.empty()) {
    const std::string line = std::move(self->outgoing_.front());
    self->outgoing_.pop_front();
    co_await asio::async_write(self->stdin_, asio::buffer(line),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) break;  // the reader sees the death
  }
  if (generation == self->generation_) self->writing_ = false;
}

asio::awaitable<void> WorkerClient::read_lines(std::shared_ptr<WorkerClient> self, int generation) {
  std::string buffer;
  boost::system::error_code error;
  while (generation == self->generation_) {
    const std::size_t size =
        co_await asio::async_read_until(self->stdout_, asio::dynamic_buffer(buffer, kLongestLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (generation != self->generation_) co_return;
    if (error) {
      self->on_death("the worker ended unexpectedly");
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
    on_death(fmt::format("the worker said something that is not its protocol: {}", reply.error().message));
    return;
  }
  if (const auto* hello = std::get_if<Hello>(&*reply)) {
    if (hello->protocol != kWorkerProtocolVersion) {
      start_error_ =
          Error{fmt::format("it speaks protocol {}, this program {}: install the same version on both sides",
                            hello->protocol, kWorkerProtocolVersion)};
    } else {
      hello_ = *hello;
      has_hello_ = true;
    }
    hello_timer_.cancel();
    return;
  }
  const auto waiting = pending_.find(id_of(*reply));
  if (waiting == pending_.end()) return;  // answered already, by its deadline
  waiting->second->reply = std::move(*reply);
  waiting->second->timer.cancel();
}

void WorkerClient::on_death(const std::string& why) {
  if (stopped_) return;
  ++deaths_;
  ++generation_;
  if (child_ > 0) ::kill(child_, SIGKILL);
  reap();
  boost::system::error_code ignored;
  stdin_.close(ignored);
  stdout_.close(ignored);
  if (!has_hello_ && deaths_ < kMostStarts && spawn()) return;
  if (!has_hello_) {
    start_error_ = Error{why};
    hello_timer_.cancel();
    return;
  }
  for (auto& [id, pending] : pending_) {
    if (++pending->deaths < 2) continue;
    pending->reply =
        failure(fmt::format("{} twice while this request was waiting{}", why, see_log(command_)));
    pending->timer.cancel();
  }
  if (const Result<void> spawned = spawn(); !spawned) {
    fail_all(spawned.error().message);
    return;
  }
  for (auto& [id, pending] : pending_) {
    if (!pending->reply) send(pending->line);
  }
}

void WorkerClient::fail_all(const std::string& why) {
  for (auto& [id, pending] : pending_) {
    if (!pending->reply) pending->reply = failure(why);
    pending->timer.cancel();
  }
}

void WorkerClient::stop(const std::string& why) {
  if (stopped_) return;
  stopped_ = true;
  ++generation_;
  boost::system::error_code ignored;
  stdin_.close(ignored);
  stdout_.close(ignored);
  if (child_ > 0) ::kill(child_, SIGKILL);
  reap();
  fail_all(why);
}

asio::awaitable<Result<WorkerReply>> WorkerClient::request(WorkerRequest request,
                                                           std::chrono::seconds deadline) {
  if (stopped_) co_return failure("the worker was stopped");
  const std::string id = std::to_string(next_id_++);
  set_id(request, id);
  auto pending = std::make_shared<Pending>(Pending{to_line(request), asio::steady_timer(io_), std::nullopt});
  pending_[id] = pending;
  send(pending->line);
  const auto self = shared_from_this();
  const auto begin = std::chrono::steady_clock::now();
  while (!pending->reply) {
    const auto due = std::max(begin, last_life_) + deadline;
    if (std::chrono::steady_clock::now() >= due) {
      on_death(fmt::format("the worker gave no sign of life for {} s", deadline.count()));
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
