// Requests that want harm: without right, without end, without shape.

#include <fmt/format.h>

#include "tests/integration/http_api/fixture.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::testing;
using std::chrono::milliseconds;

namespace {

RunningServer& hostile_server() {
  static RunningServer server(with_token());
  return server;
}

HttpReply raw(std::string_view bytes) {
  BareClient client(hostile_server().server.port());
  client.send(bytes);
  return client.reply();
}

/// Deadlines that a test can wait for.
http::HttpLimits hasty() {
  http::HttpLimits limits;
  limits.header_time = limits.body_time = limits.idle_time = limits.write_time = milliseconds(400);
  return limits;
}

}  // namespace

TEST_CASE("what changes something needs the right token") {
  const std::uint16_t port = hostile_server().server.port();
  for (const char* target : {"/v1/jobs", "/v1/jobs/night/pause", "/v1/jobs/night/resume",
                             "/v1/jobs/night/cancel", "/v1/drain", "/v1/reload"}) {
    INFO(target);
    const HttpReply missing = ask(port, "POST", target, "Content-Length: 0\r\n");
    CHECK(missing.status == 401);
    CHECK(missing.kind() == "token_missing");
    CHECK(missing.headers.at("www-authenticate") == "Bearer realm=\"kevolved\"");
    const std::string wrong = kToken.substr(0, kToken.size() - 1) + "x";
    CHECK(ask(port, "POST", target, authorization(wrong)).kind() == "token_wrong");
    CHECK(ask(port, "POST", target, authorization(kToken + "x")).kind() == "token_wrong");
    CHECK(ask(port, "POST", target, "Authorization: Basic " + kToken + "\r\n").kind() == "token_missing");
  }
  CHECK(ask(port, "PUT", "/v1/jobs/night/priority").status == 401);
  CHECK(ask(port, "GET", "/v1/jobs/night").json().at("state") == "finished");  // nothing happened
}

TEST_CASE("without a token nothing can be changed, whatever is sent") {
  RunningServer running;
  CHECK(ask(running.server.port(), "POST", "/v1/drain", authorization("")).kind() == "no_token_set");
  CHECK(ask(running.server.port(), "POST", "/v1/drain").status == 403);
  CHECK(ask(running.server.port(), "GET", "/v1/status").json().at("draining") == false);
}

TEST_CASE("on an address that others can reach everything needs the token") {
  http::HttpSettings settings;
  settings.address = "0.0.0.0";
  {
    PretendedService service;
    EventLog log;
    settings.port = 0;
    http::Server open(settings, service, log, "/nonexistent");
    const Result<void> refused = open.start();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("token") != std::string::npos);
  }
  settings.token = kToken;
  RunningServer running(settings);
  const std::uint16_t port = running.server.port();
  for (const char* target : {"/healthz", "/metrics", "/v1/status", "/v1/jobs", "/v1/events",
                             "/v1/openapi.json", "/v1/best?operator=softmax", "/no/such/path", "/%2e%2e"}) {
    INFO(target);
    CHECK(ask(port, "GET", target).status == 401);
  }
  CHECK(ask(port, "OPTIONS", "/v1/jobs").status == 401);
  CHECK(ask(port, "GET", "/v1/status", authorization()).status == 200);
  BareClient named(port);  // any name, with the token
  named.send("GET /v1/status HTTP/1.1\r\nHost: gpu-box.example:7421\r\n" + authorization() + "\r\n");
  CHECK(named.reply().status == 200);
}

TEST_CASE("on a loopback address only its own names are answered") {
  const auto with_host = [](std::string_view lines) {
    return raw(fmt::format("GET /v1/status HTTP/1.1\r\n{}\r\n", lines)).status;
  };
  CHECK(with_host("Host: localhost:7421\r\n") == 200);
  CHECK(with_host("Host: LOCALHOST\r\n") == 200);
  CHECK(with_host("Host: 127.0.0.1\r\n") == 200);
  CHECK(with_host("Host: [::1]:7421\r\n") == 200);
  CHECK(with_host("Host: evil.example\r\n") == 421);
  CHECK(with_host("Host: localhost.evil.example\r\n") == 421);
  CHECK(with_host("Host: 127.0.0.1.evil.example\r\n") == 421);
  CHECK(with_host("Host: localhost:7421:1\r\n") == 400);
  CHECK(with_host("Host: localhost@evil.example\r\n") == 421);
  CHECK(with_host("") == 400);
  CHECK(with_host("Host: localhost\r\nHost: evil.example\r\n") == 400);
}

TEST_CASE("paths that could mean another are refused") {
  const std::uint16_t port = hostile_server().server.port();
  for (const char* target :
       {"/v1/jobs/%2e%2e/status", "/v1/../v1/status", "/v1/./status", "//v1/status", "/v1//status",
        "/v1/status/", "/v1/jobs/%00", "/v1/jobs/a%2fb", "/v1/jobs/a%5cb", "/v1/jobs/%", "/v1/jobs/%4",
        "/v1/jobs/%zz", "/v1/jobs/%ff%fe", "/v1/jobs/%0d%0aX-Header:%201", "http://localhost/v1/status", "*",
        "/v1/events?after=%00", "/v1/best?operator=a&operator=b"}) {
    INFO(target);
    const HttpReply reply = ask(port, "GET", target);
    CHECK(reply.status == 400);
    CHECK(reply.kind() == "bad_path");
  }
  CHECK(ask(port, "GET", "/v1/%73tatus").status == 200);  // an escape that hides nothing
  CHECK(ask(port, "GET", "/v1/jobs/..%20").status == 404);
}

TEST_CASE("what is no HTTP is refused, and its connection closed") {
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on\r\n\r\n"),
        std::string("GET /v1/status HTTP/9.9\r\nHost: localhost\r\n\r\n"),
        std::string("GET /v1/status\r\nHost: localhost\r\n\r\n"),
        std::string("GET /v1/status HTTP/1.1\r\nHost : localhost\r\n\r\n"),
        std::string("G\0T /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", 47)}) {
    INFO(bytes);
    BareClient client(hostile_server().server.port());
    client.send(bytes);
    CHECK(client.reply().status == 400);
    CHECK(client.rest().empty());
  }
}

TEST_CASE("two lengths of one body are no way to smuggle a request") {
  const std::string head =
      "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + authorization();
  const std::string smuggled = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const char* lines :
       {"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 4\r\nContent-Length: 48\r\n",
        "Content-Length: -1\r\n", "Content-Length: 0x10\r\n", "Content-Length: 99999999999999999999\r\n"}) {
    INFO(lines);
    BareClient client(hostile_server().server.port());
    client.send(head + lines + "\r\n" + smuggled);
    const HttpReply reply = client.reply();
    CHECK(reply.status >= 400);
    CHECK(client.rest().empty());  // one answer, and no other
  }
}

TEST_CASE("a header without end is cut off") {
  BareClient long_line(hostile_server().server.port());
  long_line.send("GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Long: " + std::string(100'000, 'x'));
  CHECK(long_line.reply().kind() == "header_too_large");
  CHECK(long_line.rest().empty());
  BareClient many_lines(hostile_server().server.port());
  std::string lines = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 5000; ++i) lines += fmt::format("X-{}: y\r\n", i);
  many_lines.send(lines);
  CHECK(many_lines.reply().status == 431);
  BareClient endless_path(hostile_server().server.port());
  endless_path.send("GET /" + std::string(100'000, 'a'));
  CHECK(endless_path.reply().status == 414);
  CHECK(raw("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 414);
}

TEST_CASE("a huge body is refused before it is read") {
  const std::uint16_t port = hostile_server().server.port();
  const std::string type = "Content-Type: application/json\r\n";
  BareClient announced(port);
  announced.send(request_head("POST", "/v1/jobs", authorization() + type + "Content-Length: 1000000000\r\n"));
  CHECK(announced.reply().kind() == "body_too_large");
  BareClient chunked(port);
  chunked.send(request_head("POST", "/v1/jobs", authorization() + type + "Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (int i = 0; i < 32 && chunked.send(chunk); ++i) {
  }
  CHECK(chunked.reply().status == 413);
  // Without the token nothing of it is read, however small.
  BareClient unknown(port);
  unknown.send(request_head("POST", "/v1/jobs", type + "Content-Length: 1000\r\n"));
  CHECK(unknown.reply().status == 401);
  CHECK(unknown.rest().empty());
}

TEST_CASE("a body needs a length, a type and a place") {
  const std::uint16_t port = hostile_server().server.port();
  CHECK(ask(port, "POST", "/v1/jobs", authorization()).kind() == "length_required");
  CHECK(ask(port, "POST", "/v1/jobs", authorization() + "Content-Length: 0\r\n").kind() == "body_missing");
  BareClient text(port);
  text.send(request_head("POST", "/v1/jobs",
                         authorization() + "Content-Type: text/plain\r\nContent-Length: 2\r\n") +
            "{}");
  CHECK(text.reply().status == 415);
  BareClient form(port);
  form.send(request_head("POST", "/v1/drain",
                         authorization() +
                             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n") +
            "{}");
  CHECK(form.reply().status == 415);
  BareClient asking(port);
  asking.send(request_head("GET", "/v1/status", "Content-Length: 2\r\nContent-Type: application/json\r\n") +
              "{}");
  CHECK(asking.reply().kind() == "unexpected_body");
}

TEST_CASE("a chunked body and one that waits for a 100 arrive") {
  const std::string body = R"({"priority": 4})";
  BareClient chunked(hostile_server().server.port());
  const std::string head = authorization() + "Content-Type: application/json; charset=utf-8\r\n";
  chunked.send(request_head("PUT", "/v1/jobs/night/priority", head + "Transfer-Encoding: chunked\r\n") +
               fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", body.size(), body));
  CHECK(chunked.reply().json().at("priority") == 4);
  BareClient polite(hostile_server().server.port());
  polite.send(
      request_head("PUT", "/v1/jobs/night/priority",
                   head + fmt::format("Expect: 100-continue\r\nContent-Length: {}\r\n", body.size())));
  CHECK(polite.receive() == "HTTP/1.1 100 Continue\r\n\r\n");
  polite.send(body);
  CHECK(polite.reply().status == 200);
}

TEST_CASE("pipelined requests are answered in turn") {
  BareClient client(hostile_server().server.port());
  std::string many;
  for (int i = 0; i < 100; ++i) many += request_head("GET", fmt::format("/v1/jobs/none-{}", i));
  client.send(many + request_head("GET", "/v1/status", "Connection: close\r\n"));
  for (int i = 0; i < 100; ++i) {
    const HttpReply reply = client.reply();
    REQUIRE(reply.status == 404);
    REQUIRE(reply.body.find(fmt::format("none-{}'", i)) != std::string::npos);
  }
  const HttpReply last = client.reply();
  CHECK(last.status == 200);
  CHECK(last.headers.at("connection") == "close");
  CHECK(client.rest().empty());
}

TEST_CASE("a client that has said everything still gets its answer") {
  BareClient half_open(hostile_server().server.port());
  half_open.send(request_head("GET", "/v1/jobs/night/report"));
  half_open.end_sending();
  CHECK(half_open.reply().status == 200);
  CHECK(half_open.rest().empty());
  BareClient old(hostile_server().server.port());
  old.send("GET /v1/status HTTP/1.0\r\n\r\n");
  CHECK(old.reply().status == 200);
  CHECK(old.rest().empty());
}

TEST_CASE("a client that sends a byte now and then is told that its time is over") {
  RunningServer running(with_token(hasty()));
  const std::uint16_t port = running.server.port();
  const auto drip = [](BareClient& client, std::string_view bytes) {
    for (const char c : bytes) {
      if (!client.send({&c, 1})) break;
      std::this_thread::sleep_for(milliseconds(40));
    }
  };
  BareClient header(port);
  drip(header, request_head("GET", "/v1/status"));
  CHECK(header.reply().status == 408);
  BareClient body(port);
  body.send(request_head("PUT", "/v1/jobs/night/priority",
                         authorization() + "Content-Type: application/json\r\nContent-Length: 500\r\n"));
  drip(body, R"({"priority":                 )");
  CHECK(body.reply().status == 408);
  BareClient silent(port);
  CHECK(silent.rest().empty());  // closed, or the test would fail by its patience
  BareClient idle(port);
  idle.send(request_head("GET", "/v1/status"));
  CHECK(idle.reply().status == 200);
  CHECK(idle.rest().empty());
  CHECK(ask(port, "GET", "/v1/status").status == 200);
}

TEST_CASE("very many slow clients keep nobody else out, and one too many is told so") {
  http::HttpLimits limits = hasty();
  limits.connections = 50;
  RunningServer running(with_token(limits));
  const std::uint16_t port = running.server.port();
  std::vector<std::unique_ptr<BareClient>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<BareClient>(port));
    slow.back()->send("GET /v1/st");
  }
  BareClient one_more(port);
  const HttpReply busy = one_more.reply();
  CHECK(busy.status == 503);
  CHECK(busy.kind() == "busy");
  for (const auto& client : slow) CHECK(client->reply().status == 408);
  slow.clear();
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(ask(port, "GET", "/v1/status").status == 200);
}
