#include "daemon/cli/one_worker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "daemon/places.hpp"

namespace kevolve::cli {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kDeadline{600};
/// A worker that ended, as when a GPU's context broke, is started once more.
constexpr int kAttempts = 2;

asio::awaitable<Result<Answer>> converse(asio::io_context& io, const WorkerCommand& command,
                                         const std::optional<WorkerRequest>& request,
                                         std::shared_ptr<WorkerClient>& client, const bool& interrupted) {
  Answer answer;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    const Result<std::shared_ptr<WorkerClient>> started =
        co_await WorkerClient::start(io, command, WorkerClient::kStartDeadline);
    if (!started) co_return failure(started.error());
    client = *started;
    answer.hello = client->hello();
    if (!request) break;
    tl::expected<WorkerReply, WorkerLoss> reply = co_await client->request(*request, kDeadline);
    if (reply) {
      answer.reply = std::move(*reply);
      break;
    }
    if (interrupted || attempt == kAttempts) co_return failure(reply.error().why);
  }
  client->stop("done");
  co_return answer;
}

}  // namespace

WorkerCommand local_worker(const std::filesystem::path& log) {
  return {{program_beside("kevolve-worker").string()}, log};
}

std::filesystem::path scratch_log() {
  return std::filesystem::temp_directory_path() / fmt::format("kevolve-worker-{}.log", ::getpid());
}

Result<Answer> ask_worker(const WorkerCommand& command, const std::optional<WorkerRequest>& request) {
  ::signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);
  std::shared_ptr<WorkerClient> client;
  bool interrupted = false;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    interrupted = true;
    if (client) client->stop("interrupted");
  });
  Result<Answer> answer = failure("the worker was not asked");
  asio::co_spawn(io, converse(io, command, request, client, interrupted),
                 [&](const std::exception_ptr& exception, Result<Answer> result) {
                   answer = exception ? failure("internal error: an exception crossed the worker client")
                                      : std::move(result);
                   signals.cancel();
                   if (client) client->stop("done");
                 });
  io.run();
  return answer;
}

}  // namespace kevolve::cli
