// Commands and webhooks that are told of champions, ends and troubles.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/process/unique_fd.hpp"
#include "llm_client/http/post_json.hpp"
#include "tests/integration/daemon/fixture.hpp"

using namespace kevolve;
using namespace kevolve::llm;
using namespace kevolve::process;
using namespace kevolve::service;
using namespace kevolve::testing;

namespace {

/// Answers one request with a status, and keeps what it was sent.
class OneAnswer {
 public:
  explicit OneAnswer(int status) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_.get(), 4) == 0);
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, status] { answer(status); });
  }
  ~OneAnswer() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/secret-hook", port_); }
  std::string received() {
    for (int i = 0; i < 500 && !done_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return done_ ? text_ : "";
  }

 private:
  void answer(int status) {
    const UniqueFd connection(::accept(socket_.get(), nullptr, nullptr));
    if (!connection.valid()) return;
    char part[4096];
    while (text_.find("\"kind\"") == std::string::npos && text_.find("{}") == std::string::npos) {
      const ssize_t n = ::recv(connection.get(), part, sizeof part, 0);
      if (n <= 0) break;
      text_.append(part, static_cast<std::size_t>(n));
    }
    const std::string reply =
        fmt::format("HTTP/1.1 {} Some\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    (void)::send(connection.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
    done_ = true;
  }

  UniqueFd socket_;
  int port_ = 0;
  std::thread thread_;
  std::string text_;
  std::atomic<bool> done_ = false;
};

std::string wait_for_text(const std::string& file, const std::string& part) {
  std::string text;
  for (int i = 0; i < 1000 && !holds(text, part); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    text = read_text_file(file).value_or("");
  }
  return text;
}

}  // namespace

TEST_CASE("a command is told of champions and of the end") {
  const Folder folder;
  Json config = daemon_config({});
  config["notifications"] = {{"command", {"sh", "-c", "cat >> " + folder.file("told")}}};
  RunningService service(folder, config);
  service.submit(sim_job("night", 1));
  service.wait_for("job_ended", "night");
  const std::string told = wait_for_text(folder.file("told"), "\"kind\":\"end\"");
  CHECK(holds(told, "\"kind\":\"champion\""));
  CHECK(holds(told, "\"kind\":\"end\",\"job\":\"night\""));
  for (std::size_t at = 0, end = 0; (end = told.find('\n', at)) != std::string::npos; at = end + 1)
    CHECK(Json::accept(told.substr(at, end - at)));
}

TEST_CASE("a command that hangs is killed, reported once, and stops nothing") {
  const Folder folder;
  Json config = daemon_config({});
  config["notifications"] = {{"command", {"sleep", "60"}}, {"timeout_seconds", 1}};
  RunningService service(folder, config);
  service.submit(sim_job("night", 2));
  CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
  const Event warned = service.wait_for("warned");
  CHECK(holds(warned.data["text"], "killed after 1 s"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  CHECK(service.count("warned", "") == 1);
}

TEST_CASE("a webhook is told, and its URL is in no event") {
  for (const int status : {204, 500}) {
    const Folder folder;
    OneAnswer server(status);
    Json config = daemon_config({});
    (void)folder.write("url", server.url() + "\n");
    config["notifications"] = {{"events", {"end"}}, {"webhook_file", "url"}};
    RunningService service(folder, config);
    service.submit(sim_job("night", 1));
    service.wait_for("job_ended", "night");
    const std::string received = server.received();
    CHECK(holds(received, "POST /secret-hook"));
    CHECK(holds(received, R"({"kind":"end","job":"night")"));
    if (status == 500) CHECK(holds(service.wait_for("warned").data["text"], "status 500"));
    for (const auto& event : service.events().after(0, 100'000).events)
      CHECK_FALSE(holds(event->data.dump(), "secret-hook"));
  }
}

TEST_CASE("what a webhook failed of never holds its URL") {
  for (const char* url : {"http://127.0.0.1:1/secret", "https://127.0.0.1:1/secret", "file:///etc/secret",
                          "http://secret.invalid/", "no url secret"}) {
    const auto posted = post_json(url, "{}", std::chrono::seconds(2));
    REQUIRE_FALSE(posted);
    CHECK_FALSE(holds(posted.error().message, "secret"));
  }
}
