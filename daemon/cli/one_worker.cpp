#include "daemon/cli/one_worker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "daemon/engine/job/places.hpp"

namespace kevolve::cli {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kDeadline{600};
/// A worker that ended, as when a GPU's context broke, is started once more.
constexpr int kAttempts = 2;

}  // namespace

struct OneWorker::Impl {
  explicit Impl(engine::WorkerCommand worker) : command(std::move(worker)), signals(io, SIGINT, SIGTERM) {
    ::signal(SIGPIPE, SIG_IGN);
    signals.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      interrupted = true;
      if (client) client->stop("interrupted");
    });
  }

  /// Runs the loop until `task` has ended.
  template <class T>
  Result<T> await(asio::awaitable<Result<T>> task) {
    std::optional<Result<T>> result;
    asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& exception, Result<T> value) {
      result =
          exception ? failure("internal error: an exception crossed the worker client") : std::move(value);
    });
    while (!result && io.run_one() > 0) {
    }
    if (!result) return failure("the worker was not asked");
    return std::move(*result);
  }

  Result<void> start() {
    auto started = await(engine::WorkerClient::start(io, command, engine::WorkerClient::kStartDeadline));
    if (!started) return failure(started.error());
    client = *started;
    return {};
  }

  /// A worker that ended meanwhile is started again and asked once more.
  Result<WorkerReply> ask(const WorkerRequest& request) {
    for (int attempt = 1;; ++attempt) {
      TRY(std::optional<WorkerReply> reply, await(put(request, attempt == kAttempts)));
      if (reply) return std::move(*reply);
      TRY_DO(start());
    }
  }

  /// Nothing: the worker was lost and the request may be put again.
  asio::awaitable<Result<std::optional<WorkerReply>>> put(const WorkerRequest& request, bool last) {
    tl::expected<WorkerReply, engine::WorkerLoss> reply = co_await client->request(request, kDeadline);
    if (reply) co_return std::move(*reply);
    if (interrupted || last) co_return failure(reply.error().why);
    co_return std::nullopt;
  }

  const engine::WorkerCommand command;
  asio::io_context io{1};
  asio::signal_set signals;
  std::shared_ptr<engine::WorkerClient> client;
  bool interrupted = false;
};

engine::WorkerCommand local_worker(const std::filesystem::path& log) {
  return {{engine::program_beside("kevolve-worker").string()}, log};
}

std::filesystem::path scratch_log() {
  return std::filesystem::temp_directory_path() / fmt::format("kevolve-worker-{}.log", ::getpid());
}

OneWorker::OneWorker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

OneWorker::~OneWorker() {
  impl_->signals.cancel();
  if (impl_->client) impl_->client->stop("done");
  impl_->io.run();  // lets what waits see that
}

Result<std::unique_ptr<OneWorker>> OneWorker::start(const engine::WorkerCommand& command) {
  std::unique_ptr<OneWorker> worker(new OneWorker(std::make_unique<Impl>(command)));
  if (auto started = worker->impl_->start(); !started) return failure(started.error());
  return worker;
}

const Hello& OneWorker::hello() const {
  return impl_->client->hello();
}

Result<WorkerReply> OneWorker::ask(const WorkerRequest& request) {
  return impl_->ask(request);
}

bool OneWorker::interrupted() const {
  return impl_->interrupted;
}

Result<Answer> ask_worker(const engine::WorkerCommand& command, const std::optional<WorkerRequest>& request) {
  auto worker = OneWorker::start(command);
  if (!worker) return failure(worker.error());
  Answer answer;
  answer.hello = (*worker)->hello();
  if (request) {
    auto reply = (*worker)->ask(*request);
    if (!reply) return failure(reply.error());
    answer.reply = std::move(*reply);
  }
  return answer;
}

}  // namespace kevolve::cli
