#include "daemon/cli/one_worker.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "daemon/cli/places.hpp"

namespace kevolve::cli {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kDeadline{600};

}  // namespace

struct OneWorker::Impl {
  Impl() : signals(io, SIGINT, SIGTERM) {
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

  asio::io_context io{1};
  asio::signal_set signals;
  std::shared_ptr<WorkerClient> client;
  bool interrupted = false;
};

WorkerCommand local_worker(const std::filesystem::path& log) {
  return {{program_beside("kevolve-worker").string()}, log};
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

Result<std::unique_ptr<OneWorker>> OneWorker::start(const WorkerCommand& command) {
  std::unique_ptr<OneWorker> worker(new OneWorker(std::make_unique<Impl>()));
  auto client = worker->impl_->await(WorkerClient::start(worker->impl_->io, command));
  if (!client) return failure(client.error());
  worker->impl_->client = *client;
  return worker;
}

const Hello& OneWorker::hello() const {
  return impl_->client->hello();
}

Result<WorkerReply> OneWorker::ask(const WorkerRequest& request) {
  return impl_->await(impl_->client->request(request, kDeadline));
}

bool OneWorker::interrupted() const {
  return impl_->interrupted;
}

Result<Answer> ask_worker(const WorkerCommand& command, const std::optional<WorkerRequest>& request) {
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
