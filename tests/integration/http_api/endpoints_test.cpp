// Every endpoint, asked rightly and wrongly.

#include "tests/integration/http_api/fixture.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// One server for the tests that only look.
RunningServer& shared() {
  static RunningServer server(with_token());
  return server;
}

HttpReply get(std::string_view target) {
  return ask(shared().server.port(), "GET", target);
}

constexpr const char* kJob = R"({"job": {"name": "day", "operators": ["gelu"]}, "priority": 4})";

}  // namespace

TEST_CASE("health, status and workers tell what the service says") {
  const HttpReply health = get("/v1/health");
  CHECK(health.status == 200);
  CHECK(health.json().at("status") == "ok");
  CHECK(health.headers.at("content-type") == "application/json");
  CHECK(health.headers.at("cache-control") == "no-store");
  CHECK(get("/healthz").status == 200);
  CHECK(get("/v1/status").json().at("jobs").at("running") == 1);
  CHECK(get("/v1/workers").json().at("pools").is_array());
}

TEST_CASE("a job is submitted, listed, prioritised, paused, resumed and cancelled") {
  RunningServer running(with_token());
  const std::uint16_t port = running.server.port();
  const HttpReply submitted = tell(port, "POST", "/v1/jobs", kJob);
  INFO(submitted.body);
  CHECK(submitted.status == 201);
  CHECK(submitted.json().at("priority") == 4);
  CHECK(ask(port, "GET", "/v1/jobs").json().at("jobs").size() == 2);
  CHECK(ask(port, "GET", "/v1/jobs/day").json().at("state") == "queued");
  CHECK(tell(port, "PUT", "/v1/jobs/day/priority", R"({"priority": -3})").json().at("priority") == -3);
  CHECK(tell(port, "POST", "/v1/jobs/day/pause", "").json().at("state") == "paused");
  CHECK(tell(port, "POST", "/v1/jobs/day/resume", "{}").json().at("state") == "queued");
  CHECK(tell(port, "POST", "/v1/jobs/day/cancel", "").json().at("state") == "cancelled");
  CHECK(tell(port, "POST", "/v1/reload", "").status == 200);
  CHECK(tell(port, "POST", "/v1/drain", "").status == 202);
  CHECK(ask(port, "GET", "/healthz").json().at("status") == "draining");
  const HttpReply refused = tell(port, "POST", "/v1/jobs", kJob);
  CHECK(refused.status == 503);
  CHECK(refused.kind() == "draining");
}

TEST_CASE("what the service refuses has its kind, its words and a status") {
  const std::uint16_t port = shared().server.port();
  const HttpReply unknown = get("/v1/jobs/nigth");
  CHECK(unknown.status == 404);
  CHECK(unknown.kind() == "not_found");
  CHECK_THAT(unknown.body, ContainsSubstring("nigth"));
  const HttpReply conflict = tell(port, "POST", "/v1/jobs/night/pause", "");
  CHECK(conflict.status == 409);
  CHECK(conflict.kind() == "conflict");
}

TEST_CASE("wrong fields of a body are named") {
  const std::uint16_t port = shared().server.port();
  const auto refusal = [&](std::string_view method, std::string_view path, std::string_view body) {
    const HttpReply reply = tell(port, method, path, body);
    CHECK(reply.status == 400);
    return reply.json().at("error").at("message").get<std::string>();
  };
  CHECK_THAT(refusal("POST", "/v1/jobs", "{"), ContainsSubstring("line 1"));
  CHECK_THAT(refusal("POST", "/v1/jobs", "[]"), ContainsSubstring("object"));
  CHECK_THAT(refusal("POST", "/v1/jobs", "{}"), ContainsSubstring("job"));
  CHECK_THAT(refusal("POST", "/v1/jobs", R"({"job": {"name": "x", "operatros": ["gelu"]}})"),
             ContainsSubstring("did you mean 'operators'"));
  CHECK_THAT(refusal("POST", "/v1/jobs", R"({"job": {"name": "../x", "operators": ["gelu"]}})"),
             ContainsSubstring("../x"));
  CHECK_THAT(refusal("POST", "/v1/jobs", R"({"job": {"name": "x", "operators": ["gelu"]}, "prio": 1})"),
             ContainsSubstring("prio"));
  CHECK_THAT(refusal("PUT", "/v1/jobs/night/priority", R"({"priority": 1e9})"),
             ContainsSubstring("priority"));
  CHECK_THAT(refusal("PUT", "/v1/jobs/night/priority", R"({"priority": "high"})"), ContainsSubstring("high"));
  CHECK_THAT(refusal("POST", "/v1/jobs/night/resume", R"({"force": true})"), ContainsSubstring("force"));
  CHECK_THAT(refusal("POST", "/v1/jobs", std::string(5000, '[')), ContainsSubstring("deep"));
}

TEST_CASE("best answers as the command line does, with the nearest workload") {
  const HttpReply best = get("/v1/best?operator=softmax");
  REQUIRE(best.status == 200);
  CHECK(best.json().at(0).at("candidate_hash") == shared().folder.hash());
  CHECK(best.json().at(0).at("speedup") == 2);
  CHECK_FALSE(best.json().at(0).contains("nearest_to"));
  const HttpReply nearest = get("/v1/best?operator=softmax&workload=benchmark");
  REQUIRE(nearest.status == 200);
  CHECK(nearest.json().at(0).at("nearest_to").at("workload") == "benchmark");
  CHECK(get("/v1/best?operator=softmax&against=eager").status == 404);
  CHECK(get("/v1/best?operator=softmax&device=cpu&precision=strict_fp32&against=naive&top=3").status == 200);
  CHECK(get("/v1/best").kind() == "bad_parameter");
  CHECK(get("/v1/best?operator=softmax&against=cuda").status == 400);
  CHECK(get("/v1/best?operator=softmax&precision=fp8").status == 400);
  CHECK(get("/v1/best?operator=softmax&top=0").status == 400);
  CHECK(get("/v1/best?operator=softmax&top=1x").status == 400);
  CHECK(get("/v1/best?operator=softmax&workloads=small").status == 400);
  CHECK(get("/v1/best?operator=%27%3B%20DROP%20TABLE%20jobs%3B--").status == 404);
}

TEST_CASE("a candidate, its source and its lineage are found by hash, part of it, and number") {
  const std::string& hash = shared().folder.hash();
  const HttpReply whole = get("/v1/candidates/" + hash);
  REQUIRE(whole.status == 200);
  CHECK(get("/v1/candidates/" + hash.substr(0, 8)).body == whole.body);
  CHECK(get("/v1/candidates/%231").body == whole.body);
  const HttpReply source = get("/v1/candidates/" + hash + "/source");
  CHECK(source.body == ArchiveFolder::kSource);
  CHECK(source.headers.at("content-type") == "text/plain; charset=utf-8");
  CHECK(get("/v1/candidates/" + hash + "/lineage").json().at("candidate_hash") == hash);
  CHECK(get("/v1/candidates/zzzz").status == 404);
  CHECK(get("/v1/candidates/%2399").status == 404);
}

TEST_CASE("report and costs of a job come from the archive") {
  const HttpReply report = get("/v1/jobs/night/report");
  REQUIRE(report.status == 200);
  CHECK(report.json().at("funnel").at("evaluated") == 1);
  CHECK(get("/v1/jobs/night/costs").json().is_array());
  CHECK(get("/v1/jobs/day/report").status == 404);
  CHECK(get("/v1/jobs/day/costs").status == 404);
}

TEST_CASE("metrics count what is in the archive, in the service and here") {
  REQUIRE(get("/v1/health").status == 200);  // a request to be counted
  const HttpReply metrics = get("/metrics");
  REQUIRE(metrics.status == 200);
  CHECK(metrics.headers.at("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"kevolve_jobs{state=\"running\"} 1\n", "kevolve_workers{pool=\"local\",state=\"ready\"} 1\n",
        "kevolve_requests_in_flight{pool=\"local\"} 3\n",
        "kevolve_evaluations_total{gate=\"timing\",outcome=\"passed\"} 1\n", "kevolve_event_followers 0\n",
        "# TYPE kevolve_http_requests_total counter\n", "kevolve_archive_size_bytes{file=\"main\"} ",
        "process_open_fds ", "process_resident_memory_bytes "}) {
    CHECK_THAT(metrics.body, ContainsSubstring(line));
  }
  // Counted once however often they are asked for.
  CHECK_THAT(get("/metrics").body, ContainsSubstring("outcome=\"passed\"} 1\n"));
}

TEST_CASE("HEAD answers as GET without its body, OPTIONS with the methods") {
  const std::uint16_t port = shared().server.port();
  const HttpReply head = ask(port, "HEAD", "/v1/jobs/night/report");
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") == get("/v1/jobs/night/report").headers.at("content-length"));
  const HttpReply options = ask(port, "OPTIONS", "/v1/jobs");
  CHECK(options.status == 204);
  CHECK(options.headers.at("allow") == "GET, HEAD, POST, OPTIONS");
  CHECK_FALSE(options.headers.contains("access-control-allow-origin"));
  const HttpReply refused = ask(port, "DELETE", "/v1/jobs/night");
  CHECK(refused.status == 405);
  CHECK(refused.headers.at("allow") == "GET, HEAD, OPTIONS");
  CHECK(ask(port, "PATCH", "/v2/jobs").status == 404);
}

TEST_CASE("a service that does not answer is said to be stuck, and waits for nobody") {
  http::HttpLimits limits;
  limits.answer_time = std::chrono::milliseconds(300);
  RunningServer running(with_token(limits));
  running.service.fall_silent(true);
  const HttpReply health = ask(running.server.port(), "GET", "/healthz");
  CHECK(health.status == 503);
  CHECK(health.kind() == "stuck");
  CHECK(ask(running.server.port(), "GET", "/v1/jobs").status == 504);
  CHECK(ask(running.server.port(), "GET", "/v1/best?operator=softmax").status == 200);
  running.service.fall_silent(false);
  CHECK(ask(running.server.port(), "GET", "/v1/jobs").status == 200);
}

TEST_CASE("replies that come when the server is gone harm nobody") {
  PretendedService service;
  service.fall_silent(true);
  EventLog log;
  const ArchiveFolder folder;
  {
    http::HttpSettings settings;
    settings.port = 0;
    http::Server server(settings, service, log, folder.archive());
    REQUIRE(server.start());
    BareClient client(server.port());
    client.send(request_head("GET", "/v1/jobs"));
    while (service.asked() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    server.stop(std::chrono::milliseconds(50));
  }
  service.fall_silent(false);
  log.append("after", "", {});
  CHECK(service.asked() == 1);
}

TEST_CASE("without an archive what needs none is answered") {
  PretendedService service;
  EventLog log;
  http::HttpSettings settings;
  settings.port = 0;
  http::Server server(settings, service, log, "/nonexistent/a.db");
  REQUIRE(server.start());
  CHECK(ask(server.port(), "GET", "/v1/status").status == 200);
  const HttpReply best = ask(server.port(), "GET", "/v1/best?operator=softmax");
  CHECK(best.status == 503);
  CHECK_THAT(best.body, ContainsSubstring("a.db"));
  CHECK(ask(server.port(), "GET", "/metrics").status == 200);
}

TEST_CASE("an address that is taken, or none, is an error of the start") {
  http::HttpSettings settings;
  settings.port = shared().server.port();
  http::Server taken(settings, shared().service, shared().log, shared().folder.archive());
  const Result<void> refused = taken.start();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, ContainsSubstring("cannot listen on 127.0.0.1"));
  settings.address = "localhost:80";
  settings.token = kToken;
  http::Server wrong(settings, shared().service, shared().log, shared().folder.archive());
  CHECK_FALSE(wrong.start());
}
