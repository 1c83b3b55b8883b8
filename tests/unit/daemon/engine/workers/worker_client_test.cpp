#include "daemon/engine/workers/worker_client.hpp"

#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "tests/unit/daemon/engine/folder.hpp"

namespace kevolve {
using namespace engine;
namespace {

namespace asio = boost::asio;
using Catch::Matchers::ContainsSubstring;
using std::chrono::seconds;
using testing::TestFolder;

WorkerCommand simulated_worker(const std::vector<std::string>& options = {}) {
  ::signal(SIGPIPE, SIG_IGN);
  WorkerCommand command;
  command.argv = {KEVOLVE_BIN_DIR "/simulated-worker"};
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  return command;
}

WorkerCommand shell(const std::string& script) {
  ::signal(SIGPIPE, SIG_IGN);
  return {{"sh", "-c", script}, {}};
}

EvaluateRequest a_request() {
  EvaluateRequest request;
  request.operator_document = Json::object();
  request.workload = "small";
  request.source = "the source";
  return request;
}

using Conversation = std::function<asio::awaitable<void>(std::shared_ptr<WorkerClient>)>;

/// Starts the worker and talks to it; what its start came to.
Result<void> with_worker(const WorkerCommand& command, const Conversation& talk, bool* killed = nullptr,
                         seconds deadline = seconds(20)) {
  asio::io_context io;
  Result<void> started = failure("it did not answer in time");
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        auto client = co_await WorkerClient::start(io, command, deadline, killed);
        started = client ? Result<void>{} : failure(client.error());
        if (!client) co_return;
        co_await talk(*client);
        (*client)->stop("the test is over");
      },
      asio::detached);
  io.run_for(seconds(40));
  return started;
}

/// Also false for one that has ended and that nobody has waited for.
bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number, name, state;
  return file >> number >> name >> state && state != "Z";
}

asio::awaitable<void> say_nothing(std::shared_ptr<WorkerClient>) {
  co_return;
}

TEST_CASE("a worker says hello and answers requests in any number") {
  int answered = 0;
  const auto started = with_worker(simulated_worker(), [&](auto client) -> asio::awaitable<void> {
    CHECK(client->hello().version == "simulated");
    CHECK(client->process_id() > 0);
    for (int i = 0; i < 3; ++i) {
      const auto reply = co_await client->request(a_request(), seconds(20));
      answered += reply && std::holds_alternative<EvaluationReply>(*reply) ? 1 : 0;
    }
    CHECK(client->answered() == 3);
    CHECK(client->in_flight() == 0);
  });
  CHECK(started);
  CHECK(answered == 3);
}

TEST_CASE("of what a dead worker had, only the oldest request is a suspect") {
  const TestFolder folder;
  std::vector<bool> suspects;
  std::string why;
  WorkerCommand command = simulated_worker({"--poison", "1", "--delay-ms", "100"});
  command.log = folder.file("worker.log");
  const auto started = with_worker(command, [&](auto client) -> asio::awaitable<void> {
    client->on_end([&](const std::string& reason) { why = reason; });
    // In one expression with co_await, g++ 12 destroys what the lambda captured twice.
    const auto executor = co_await asio::this_coro::executor;
    const auto ask_first = [client, &suspects]() -> asio::awaitable<void> {
      const auto first = co_await client->request(a_request(), seconds(20));
      if (!first) suspects.push_back(first.error().suspect);
    };
    asio::co_spawn(executor, ask_first, asio::detached);
    asio::steady_timer moment(executor, std::chrono::milliseconds(10));
    co_await moment.async_wait(asio::use_awaitable);
    const auto second = co_await client->request(a_request(), seconds(20));
    REQUIRE_FALSE(second);
    suspects.push_back(second.error().suspect);
    CHECK_THAT(second.error().why, ContainsSubstring("its log: " + folder.file("worker.log")));
    CHECK(client->ended());
    const auto late = co_await client->request(a_request(), seconds(20));
    REQUIRE_FALSE(late);
    CHECK_FALSE(late.error().suspect);
  });
  CHECK(started);
  CHECK(why == "the worker ended unexpectedly (signal 9)");
  std::sort(suspects.begin(), suspects.end());
  CHECK(suspects == std::vector<bool>{false, true});
}

TEST_CASE("a worker that gives no sign of life is killed past the deadline") {
  const auto started =
      with_worker(simulated_worker({"--hang", "1"}), [&](auto client) -> asio::awaitable<void> {
        const auto reply = co_await client->request(a_request(), seconds(1));
        REQUIRE_FALSE(reply);
        CHECK(reply.error().why == "the worker gave no sign of life for 1 s");
        CHECK(reply.error().suspect);
      });
  CHECK(started);
}

TEST_CASE("an error of the start names the command, and whether somebody killed the worker") {
  bool killed = true;
  auto started = with_worker(shell("exit 3"), say_nothing, &killed);
  REQUIRE_FALSE(started);
  CHECK(started.error().message ==
        "the worker 'sh -c exit 3' did not start: the worker ended unexpectedly (exit code 3)");
  CHECK_FALSE(killed);
  started = with_worker(shell("kill -9 $$"), say_nothing, &killed);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message, ContainsSubstring("(signal 9)"));
  CHECK(killed);
  started = with_worker({{"no-such-worker"}, {}}, say_nothing);
  REQUIRE_FALSE(started);
  CHECK_THAT(
      started.error().message,
      ContainsSubstring("cannot start the worker 'no-such-worker': program 'no-such-worker' was not found"));
}

TEST_CASE("a worker that is silent, babbles or speaks another protocol does not start") {
  auto started = with_worker(shell("exec sleep 60"), say_nothing, nullptr, seconds(1));
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message, ContainsSubstring("did not start: it said nothing within 1 s"));
  started = with_worker(shell("echo hello; exec sleep 60"), say_nothing);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message, ContainsSubstring("said something that is not its protocol"));
  Hello hello;
  hello.protocol = kWorkerProtocolVersion + 1;
  hello.version = "new";
  started = with_worker(shell("echo '" + to_line(WorkerReply(hello)) + "'; exec sleep 60"), say_nothing);
  REQUIRE_FALSE(started);
  CHECK_THAT(started.error().message, ContainsSubstring("install the same version on both sides"));
}

TEST_CASE("a worker has the environment, its stderr goes to the log, and its whole group ends with it") {
  const TestFolder folder;
  ::setenv("KEVOLVE_WORKER_TEST", "seen", 1);
  WorkerCommand command = shell("echo $KEVOLVE_WORKER_TEST >&2; sleep 60 & echo $! >&2; exec " KEVOLVE_BIN_DIR
                                "/simulated-worker");
  command.log = folder.file("worker.log");
  CHECK(with_worker(command, say_nothing));
  ::unsetenv("KEVOLVE_WORKER_TEST");
  std::ifstream log(command.log);
  std::string word;
  pid_t sleeper = 0;
  log >> word >> sleeper;
  CHECK(word == "seen");
  REQUIRE(sleeper > 0);
  for (int i = 0; i < 500 && runs(sleeper); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK_FALSE(runs(sleeper));
}

TEST_CASE("the number of a worker takes the place of {worker} in every word") {
  const WorkerCommand command = numbered({{"srun", "--node={worker}", "{worker}{worker}"}, {}}, 12);
  CHECK(command.argv == std::vector<std::string>{"srun", "--node=12", "1212"});
}

}  // namespace
}  // namespace kevolve
