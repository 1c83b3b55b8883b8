// The client and the command line, against a server and against what only looks like one.

#include <sys/socket.h>

#include <netinet/in.h>

#include <fstream>

#include "core/process/command.hpp"
#include "daemon/http/client.hpp"
#include "tests/integration/http_api/fixture.hpp"

using namespace kevolve;
using namespace kevolve::process;
using namespace kevolve::testing;
using Catch::Matchers::ContainsSubstring;
using std::chrono::milliseconds;

namespace {

http::Client client_of(const RunningServer& running, const std::string& token = kToken) {
  return {http::ServiceAddress{"127.0.0.1", running.server.port(), {}, {}}, token, milliseconds(3000)};
}

/// A server whose file lies beside its archive, as a service writes it.
struct Announced : RunningServer {
  Announced() : RunningServer(with_token()) {
    std::ofstream(folder.file("token")) << kToken << "\n";
    http::ServiceAddress address;
    address.port = server.port();
    address.token_file = folder.file("token");
    REQUIRE(http::write_service_file(folder.archive(), address));
  }
  [[nodiscard]] CommandResult kevolve(std::vector<std::string> words) const {
    words.insert(words.begin(), KEVOLVE_BIN_DIR "/kevolve");
    words.insert(words.end(), {"--archive", folder.archive().string()});
    CommandLimits limits;
    limits.deadline = std::chrono::seconds(60);
    const auto result = run_command(words, "", limits);
    if (!result) FAIL(result.error().message);
    return *result;
  }
};

/// Accepts one connection, says `words` and closes.
struct Impostor {
  explicit Impostor(std::string words) : listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener.get(), 4) == 0);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread = std::thread([this, words = std::move(words)] {
      const UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
      std::string request(4096, '\0');
      if (::recv(peer.get(), request.data(), request.size(), 0) > 0)
        (void)!::send(peer.get(), words.data(), words.size(), MSG_NOSIGNAL);
      ::shutdown(peer.get(), SHUT_WR);
      (void)!::recv(peer.get(), request.data(), request.size(), 0);
    });
  }
  ~Impostor() { thread.join(); }
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;
  UniqueFd listener;
  std::uint16_t port = 0;
  std::thread thread;
};

}  // namespace

TEST_CASE("a client gets answers, and refusals in the service's own words") {
  RunningServer running(with_token());
  http::Client client = client_of(running);
  CHECK(client.get("/v1/status").value().at("jobs").at("running") == 1);
  CHECK(client.get_text("/v1/candidates/%231/source").value() == ArchiveFolder::kSource);
  CHECK(client.send("POST", "/v1/jobs/night/resume", Json::object()).value().at("state") == "queued");
  const auto unknown = client.get("/v1/jobs/none");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().status == 404);
  CHECK(unknown.error().kind == "not_found");
  const auto stranger =
      client_of(running, "another-token-of-some-length").send("POST", "/v1/drain", Json::object());
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().kind == "token_wrong");
}

TEST_CASE("a client follows events until it has enough, or the service ends") {
  RunningServer running(with_token());
  for (int i = 0; i < 20; ++i) running.log.append("noted", "night", {{"i", i}});
  http::Client client = client_of(running);
  int seen = 0;
  const auto half =
      client.follow("/v1/events?after=0", "", [&](const http::SseEvent&) { return ++seen < 10; });
  REQUIRE(half);
  CHECK(seen == 10);
  CHECK(*half == running.log.id(10));
  const auto rest =
      client.follow("/v1/events?follow=0", *half, [&](const http::SseEvent&) { return ++seen > 0; });
  REQUIRE(rest);
  CHECK(seen == 20);
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(200));
    running.log.append("service_stopped", "", {});
    running.server.stop();
  });
  std::string last;
  CHECK(client.follow("/v1/events", *rest,
                      [&](const http::SseEvent& event) { return (last = event.type), true; }));
  stopper.join();
  CHECK(last == "service_stopped");
  CHECK(client.get("/v1/status").error().kind == "unreachable");
}

TEST_CASE("what is no kevolved is an error, not a hang") {
  for (const char* words :
       {"", "220 mail.example ready\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n[]"}) {
    INFO(words);
    const Impostor impostor(words);
    http::Client client({"127.0.0.1", impostor.port, {}, {}}, "", milliseconds(2000));
    CHECK_FALSE(client.get("/v1/status"));
  }
}

TEST_CASE("commands talk to the service that runs with the archive") {
  const Announced running;
  const std::string job = running.folder.file("day.json").string();
  std::ofstream(job)
      << R"({"name": "day", "operators": ["gelu"], "prompts": "p", "archive": "elsewhere.db"})";
  const CommandResult submitted = running.kevolve({"submit", job, "--priority", "4"});
  INFO(submitted.out << submitted.err);
  CHECK(submitted.exit_code == 0);
  CHECK(submitted.out == "job day: queued, priority 4\n");
  const CommandResult status = running.kevolve({"status"});
  CHECK(status.exit_code == 0);
  CHECK_THAT(status.out, ContainsSubstring("finished 1, running 1"));
  CHECK_THAT(status.out, ContainsSubstring("night"));
  CHECK(Json::parse(running.kevolve({"status", "day", "--json"}).out).at("jobs").at(0).at("priority") == 4);
  CHECK(running.kevolve({"priority", "day", "-5"}).out == "job day: queued, priority -5\n");
  CHECK(running.kevolve({"pause", "day"}).out == "job day: paused, priority -5\n");
  CHECK(running.kevolve({"resume", "day"}).exit_code == 0);
  CHECK(running.kevolve({"cancel", "day"}).exit_code == 0);
  CHECK_THAT(running.kevolve({"workers"}).out, ContainsSubstring("local  cpu"));
  const CommandResult unknown = running.kevolve({"pause", "../none"});
  CHECK(unknown.exit_code != 0);
  CHECK(running.kevolve({"pause", "none"}).exit_code == 4);
  CHECK(running.kevolve({"pause", "night"}).exit_code == 2);  // it has finished
  CHECK(running.kevolve({"drain"}).exit_code == 0);
  CHECK(running.kevolve({"submit", job}).exit_code == 3);  // ending
}

TEST_CASE("events are printed, past and present") {
  Announced running;
  running.log.append("evaluated", "night", {{"operator", "gelu"}, {"speedup", 1.5}});
  running.log.append("evaluated", "day", {{"operator", "sum"}});
  const CommandResult past = running.kevolve({"events", "--job", "night"});
  CHECK(past.exit_code == 0);
  CHECK_THAT(past.out, ContainsSubstring(" evaluated job=night operator=\"gelu\" speedup=1.5\n"));
  CHECK(past.out.find("sum") == std::string::npos);
  std::thread later([&] {
    while (ask(running.server.port(), "GET", "/metrics").body.find("kevolve_event_followers 1\n") ==
           std::string::npos)
      std::this_thread::sleep_for(milliseconds(20));
    running.log.append("promoted", "day", {});
    running.server.stop();
  });
  const CommandResult followed =
      running.kevolve({"events", "--follow", "--json", "--after", running.log.id(1)});
  later.join();
  INFO(followed.out << followed.err);
  CHECK(followed.exit_code == 0);
  CHECK_THAT(followed.out, ContainsSubstring("\"event\":\"promoted\""));
  CHECK_THAT(followed.out, ContainsSubstring(running.log.id(2)));
}

TEST_CASE("without a service the archive answers, and what needs one says how to get it") {
  Announced running;
  running.server.stop();
  const CommandResult gone = running.kevolve({"status"});  // its file is still there
  CHECK(gone.exit_code == 0);
  CHECK_THAT(gone.err, ContainsSubstring("cannot be reached"));
  http::remove_service_file(running.folder.archive());
  const CommandResult status = running.kevolve({"status", "--json"});
  CHECK(status.exit_code == 0);
  CHECK(Json::parse(status.out).at("service").is_null());
  CHECK(Json::parse(status.out).at("jobs").at(0).at("name") == "night");
  CHECK(running.kevolve({"status", "nigth"}).exit_code == 4);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"pause", "night"}, {"drain"}, {"workers"}, {"events"}}) {
    const CommandResult refused = running.kevolve(words);
    CHECK(refused.exit_code == 3);
    CHECK_THAT(refused.err, ContainsSubstring("kevolved --archive"));
  }
  CHECK(running.kevolve({"workers", "--service", "nonsense"}).exit_code == 3);
}

TEST_CASE("without the token questions are answered and changes refused, and the token is never shown") {
  Announced running;
  http::ServiceAddress address;
  address.port = running.server.port();
  REQUIRE(http::write_service_file(running.folder.archive(), address));
  CHECK(running.kevolve({"status"}).exit_code == 0);
  const CommandResult refused = running.kevolve({"cancel", "night"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("KEVOLVE_TOKEN"));
  const CommandResult allowed =
      running.kevolve({"cancel", "night", "--token-file", running.folder.file("token").string()});
  CHECK(allowed.exit_code == 0);
  CHECK((allowed.out + allowed.err).find(kToken) == std::string::npos);
}
