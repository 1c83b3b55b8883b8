#include "daemon/engine/workers/worker_pool.hpp"

#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

#include "tests/catch.hpp"

namespace kevolve {
using namespace engine;
namespace {

namespace asio = boost::asio;
using Catch::Matchers::ContainsSubstring;

PoolSettings simulated(const std::vector<std::string>& options, int workers = 1) {
  ::signal(SIGPIPE, SIG_IGN);
  PoolSettings settings;
  settings.name = "sim";
  settings.device = "cpu";
  settings.command.argv = {KEVOLVE_BIN_DIR "/simulated-worker"};
  settings.command.argv.insert(settings.command.argv.end(), options.begin(), options.end());
  settings.workers = workers;
  settings.first_back_off = std::chrono::milliseconds(5);
  settings.longest_back_off = std::chrono::milliseconds(40);
  return settings;
}

EvaluateRequest request_of(int block) {
  EvaluateRequest request;
  request.operator_document = Json::object();
  request.workload = "small";
  request.source = "the source";
  request.tunables = {{"BLOCK", block}};
  return request;
}

TEST_CASE("a request that workers die of is given up, whatever else there is") {
  asio::io_context io;
  int lost = 0;
  const auto pool = std::make_shared<WorkerPool>(io, simulated({"--crash", "1"}), [&](const PoolNews& news) {
    lost += news.kind == PoolNews::Kind::lost;
  });
  Result<Evaluation> result = failure("not asked");
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const auto share = pool->join("night", 1);
        result = co_await share->evaluate(request_of(1));
        pool->stop("done");
      },
      asio::detached);
  io.run_for(std::chrono::seconds(30));
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, ContainsSubstring("5 workers ended while they worked on it"));
  CHECK(lost == 5);
}

TEST_CASE("a pool whose first worker cannot start gives up where it is told to") {
  asio::io_context io;
  PoolSettings settings = simulated({"--never-start"});
  settings.patience = 3;
  int lost = 0;
  const auto pool = std::make_shared<WorkerPool>(io, settings, [&](const PoolNews&) { ++lost; });
  Result<DeviceInfo> device = failure("not asked");
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const auto share = pool->join("night", 1);
        device = co_await share->device();
        pool->stop("done");
      },
      asio::detached);
  io.run_for(std::chrono::seconds(30));
  REQUIRE_FALSE(device);
  CHECK_THAT(device.error().message, ContainsSubstring("exit code 1"));
  CHECK(lost == 3);
}

TEST_CASE("a worker that judges several candidates at once is given as many times the requests") {
  asio::io_context io;
  const auto pool =
      std::make_shared<WorkerPool>(io, simulated({"--delay-ms", "30", "--parallel", "3"}), nullptr);
  std::size_t in_flight = 0, waiting = 0;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const auto share = pool->join("night", 1);
        (void)co_await share->device();
        for (int i = 0; i < 20; ++i) {
          asio::co_spawn(
              io, [share, i]() -> asio::awaitable<void> { (void)co_await share->evaluate(request_of(i)); },
              asio::detached);
        }
        asio::steady_timer timer(io, std::chrono::milliseconds(10));
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        in_flight = share->in_flight();
        waiting = share->waiting();
        pool->stop("done");
      },
      asio::detached);
  io.run_for(std::chrono::seconds(30));
  CHECK(in_flight == 12);  // four for each
  CHECK(waiting == 8);
}

TEST_CASE("a worker that somebody killed as it started is started again, also where one failure is enough") {
  char folder[] = "/tmp/kevolve-pool-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  asio::io_context io;
  PoolSettings settings = simulated({});
  // Kills itself until it has left a line for each time it was to.
  const auto killed_first = [&](int times) {
    const std::string script =
        "echo >> $0; [ $(wc -l < $0) -gt " + std::to_string(times) + " ] || kill -9 $$; exec \"$@\"";
    return std::vector<std::string>{"sh", "-c", script, std::string(folder) + "/starts",
                                    settings.command.argv[0]};
  };
  settings.patience = 1;
  for (const auto& [times, starts] : {std::pair(3, true), std::pair(30, false)}) {
    std::filesystem::remove(std::string(folder) + "/starts");
    io.restart();
    PoolSettings killed = settings;
    killed.command.argv = killed_first(times);
    int lost = 0;
    const auto pool = std::make_shared<WorkerPool>(
        io, killed, [&](const PoolNews& news) { lost += news.kind == PoolNews::Kind::lost; });
    Result<DeviceInfo> device = failure("not asked");
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          const auto share = pool->join("night", 1);
          device = co_await share->device();
          pool->stop("done");
        },
        asio::detached);
    io.run_for(std::chrono::seconds(30));
    CHECK(device.has_value() == starts);
    CHECK(lost == (starts ? 3 : 11));
    if (!device) CHECK_THAT(device.error().message, ContainsSubstring("signal 9"));
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a closed share refuses what waits and lets end what workers have") {
  asio::io_context io;
  const auto pool = std::make_shared<WorkerPool>(io, simulated({"--delay-ms", "30"}), nullptr);
  int judged = 0, refused = 0;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        const auto share = pool->join("night", 1);
        (void)co_await share->device();
        for (int i = 0; i < 10; ++i) {
          asio::co_spawn(
              io,
              [&judged, &refused, share, i]() -> asio::awaitable<void> {
                const auto result = co_await share->evaluate(request_of(i));
                ++(result ? judged : refused);
              },
              asio::detached);
        }
        asio::steady_timer timer(io, std::chrono::milliseconds(10));
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        share->close("paused");
        CHECK(share->waiting() == 0);
        CHECK(share->in_flight() == 4);  // a worker of the cpu device has four at a time
        while (judged < 4 && judged + refused < 10) {
          timer.expires_after(std::chrono::milliseconds(10));
          co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        const auto late = co_await share->evaluate(request_of(99));
        CHECK((!late && late.error().message == "paused"));
        pool->stop("done");
      },
      asio::detached);
  io.run_for(std::chrono::seconds(30));
  CHECK(judged == 4);
  CHECK(refused == 6);
}

}  // namespace
}  // namespace kevolve
