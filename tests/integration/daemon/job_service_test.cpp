// A service with simulated workers: queue, priorities, pause, resume, cancel, drain, reload, bad workers.

#include "tests/integration/daemon/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::service;
using namespace kevolve::testing;
using Verb = ServiceVerb;

TEST_CASE("a submitted job runs to its end and leaves a summary") {
  const Folder folder;
  {
    RunningService service(folder, daemon_config({}));
    const Json job = service.submit(sim_job("night"), 2);
    CHECK(job["state"] == "running");
    CHECK(job["priority"] == 2);
    const Event end = service.wait_for("job_ended", "night");
    CHECK(end.data["state"] == "finished");
    CHECK(end.data["reason"] == "all rounds done");
    CHECK(service.count("round_started", "night") == 6);
    CHECK(service.count("evaluated", "night") > 30);
    CHECK(service.count("promoted", "night") > 0);
    const Json one = service.must(Verb::job, "night");
    CHECK(one["state"] == "finished");
    CHECK(one["document"]["name"] == "night");
    CHECK(one["active"].is_null());
    const Json status = service.must(Verb::status);
    CHECK(status["jobs"]["finished"] == 1);
    CHECK(status["draining"] == false);
    const Json pools = service.must(Verb::workers)["pools"];
    REQUIRE(pools.size() == 1);
    CHECK(pools[0]["workers"][0]["state"] == "ready");
    CHECK(pools[0]["model"] == "simulated");
  }
  const auto summary = read_text_file(folder.file("a.db.summaries/night.md"));
  REQUIRE(summary);
  INFO(*summary);
  CHECK(holds(*summary, "# night: finished"));
  CHECK(holds(*summary, "| gelu | 1.000 ms | 700.00 µs |"));
  CHECK(holds(*summary, "kevolve resume night"));
  // Another service finds it finished and leaves it alone; asked for more, it does another series.
  RunningService again(folder, daemon_config({}));
  CHECK(again.must(Verb::jobs)["jobs"][0]["state"] == "finished");
  CHECK(again.count("job_started", "night") == 0);
  again.must(Verb::resume, "night");
  again.wait_for("job_ended", "night");
  CHECK(again.count("round_started", "night") == 6);
}

TEST_CASE("what is wrong with a submitted job is said") {
  const Folder folder;
  RunningService service(folder, daemon_config({}));
  const auto refused = [&](Verb verb, const std::string& job, const Json& body, ServiceFailure kind,
                           const std::string& part) {
    const ServiceReply reply = service.ask(verb, job, body);
    REQUIRE_FALSE(reply);
    INFO(reply.error().message);
    CHECK(reply.error().kind == kind);
    CHECK(holds(reply.error().message, part));
  };
  using Kind = ServiceFailure;
  Json job = sim_job("a");
  refused(Verb::submit, "", {{"jobs", job}}, Kind::invalid, "jobs: unknown key; expected: job, priority");
  refused(Verb::submit, "", Json::object(), Kind::invalid, "job: it is missing");
  refused(Verb::submit, "", {{"job", job}, {"priority", 9}}, Kind::invalid,
          "expected an integer from -5 to 5");
  refused(Verb::submit, "", {{"job", job}, {"priority", 1.5}}, Kind::invalid, "1.5 is not a priority");
  job["operators"] = {"gelo"};
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid, "did you mean 'gelu'");
  job = sim_job("a");
  job["operators"] = {{{"operator", "gelu"}, {"workload", "huge"}}};
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid, "gelu has no workload 'huge'; it has: small");
  job = sim_job("a");
  job["device"] = "cuda:0";
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid,
          "no pool of this service has 'cuda:0'; it has: cpu");
  job["launcher"] = {"rm", "-rf"};
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid, "does not let jobs name their own");
  job = sim_job("a");
  job["archive"] = "elsewhere.db";
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid, "this service writes");
  job = sim_job("a");
  job["idea_sources"] = {{{"kind", "replay"}, {"file", "/nowhere.jsonl"}}};
  refused(Verb::submit, "", {{"job", job}}, Kind::invalid, "nowhere.jsonl");
  refused(Verb::pause, "nobody", Json::object(), Kind::not_found, "there is no job 'nobody'");
  CHECK(service.must(Verb::jobs)["jobs"].empty());
}

TEST_CASE("jobs queue by priority, and more than max_running wait") {
  const Folder folder;
  RunningService service(folder, daemon_config({"--delay-ms", "10"}, 1, 1));
  CHECK(service.submit(sim_job("first", 2))["state"] == "running");
  CHECK(service.submit(sim_job("low", 1), -1)["state"] == "queued");
  CHECK(service.submit(sim_job("high", 1), 1)["state"] == "queued");
  CHECK(service.must(Verb::cancel, "low")["state"] == "cancelled");
  service.submit(sim_job("low", 1));
  service.wait_for("job_ended", "low", service.events().last());
  const Event high = service.wait_for("job_started", "high");
  const Event low = service.wait_for("job_started", "low");
  CHECK(high.number < low.number);
}

TEST_CASE("two jobs share a pool by their priorities") {
  const Folder folder;
  RunningService service(folder, daemon_config({"--delay-ms", "4"}));
  // Of operators of its own: what one job has judged, another need not.
  Json wide = sim_job("low", 40, {"gelu", "softmax", "layernorm"});
  wide["policy"]["ideas_per_round"] = 8;
  wide["policy"]["implementations_per_idea"] = 8;
  service.submit(wide, 0);
  wide["name"] = "high";
  wide["operators"] = {"rmsnorm", "matmul", "sum"};
  service.submit(wide, 2);
  service.wait_for("job_started", "low");
  service.wait_for("job_started", "high");
  const std::uint64_t from = service.events().last();
  int low = 0, high = 0;
  for (int i = 0; i < 1000 && low + high < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    low = high = 0;
    for (const auto& event : service.events().after(from, 100'000).events) {
      if (event->type != "evaluated") continue;
      ++(event->job == "low" ? low : high);
    }
  }
  INFO(low << " of the low job, " << high << " of the high one");
  REQUIRE(low + high >= 300);
  CHECK(high >
        1.4 * low);  // 4 : 1 while both wait; but a job that times its contenders waits for one at a time
  CHECK(low > 15);   // nobody starves
  const std::uint64_t before = service.events().last();
  CHECK(service.must(Verb::prioritise, "low", {{"priority", 5}})["priority"] == 5);
  service.wait_for("job_prioritised", "low", before);
  const Json jobs = service.must(Verb::workers)["pools"][0]["jobs"];
  REQUIRE(jobs.size() == 2);
  for (const Json& job : jobs) CHECK(job["weight"] == (job["job"] == "low" ? 32 : 4));
}

TEST_CASE("a paused job gives its place away, and ends as if it had not been paused") {
  const Folder folder, undisturbed;
  {
    RunningService service(undisturbed, daemon_config({}));
    service.submit(sim_job("night"));
    service.wait_for("job_ended", "night");
  }
  {
    RunningService service(folder, daemon_config({"--delay-ms", "10"}, 1, 1));
    service.submit(sim_job("night"));
    service.wait_for("evaluated", "night");
    CHECK(service.must(Verb::pause, "night")["active"]["stopping"] == "pause");
    const ServiceReply twice = service.ask(Verb::pause, "night");
    CHECK((!twice && twice.error().kind == ServiceFailure::conflict));
    service.wait_for("job_paused", "night");
    CHECK(service.must(Verb::job, "night")["state"] == "paused");
    service.submit(sim_job("other", 1, {"rmsnorm"}));
    service.wait_for("job_ended", "other");
    CHECK(service.count("job_started", "night") == 1);
  }
  RunningService service(folder, daemon_config({}));
  CHECK(service.must(Verb::job, "night")["state"] == "paused");  // it stays, also when the service starts
  CHECK(service.must(Verb::resume, "night")["state"] == "running");
  const ServiceReply again = service.ask(Verb::resume, "night");
  CHECK((!again && again.error().kind == ServiceFailure::conflict));
  service.wait_for("job_ended", "night");
  std::set<std::string> expected = verified(undisturbed.file("a.db"));
  std::set<std::string> found = verified(folder.file("a.db"));
  CHECK(expected.size() > 20);
  CHECK(std::includes(found.begin(), found.end(), expected.begin(), expected.end()));
}

TEST_CASE("a cancelled job does not go on by itself, but when it is asked to") {
  const Folder folder;
  {
    RunningService service(folder, daemon_config({"--delay-ms", "10"}));
    service.submit(sim_job("night"));
    service.wait_for("evaluated", "night");
    service.must(Verb::cancel, "night");
    CHECK(service.wait_for("job_ended", "night").data["state"] == "cancelled");
  }
  RunningService service(folder, daemon_config({}));
  CHECK(service.must(Verb::job, "night")["state"] == "cancelled");
  CHECK(service.must(Verb::resume, "night")["state"] == "running");
  CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
  const ServiceReply late = service.ask(Verb::cancel, "night");
  CHECK((!late && late.error().kind == ServiceFailure::conflict));
}

TEST_CASE("draining ends what is under way, takes nothing new, and leaves jobs that go on by themselves") {
  const Folder folder;
  {
    RunningService service(folder, daemon_config({"--delay-ms", "20"}));
    service.submit(sim_job("night"));
    service.wait_for("evaluated", "night");
    CHECK(service.must(Verb::drain)["draining"] == true);
    const ServiceReply late = service.ask(Verb::submit, "", {{"job", sim_job("late")}});
    CHECK((!late && late.error().kind == ServiceFailure::draining));
    service.join();
    CHECK(service.count("job_paused", "night") == 1);
    CHECK(service.count("service_ended", "") == 1);
  }
  CHECK(job_in(folder.file("a.db"), "night").state == JobState::queued);
  RunningService service(folder, daemon_config({}));
  CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
}

TEST_CASE("workers that die are replaced and cost no candidate") {
  const Folder folder, undisturbed;
  for (const bool dying : {false, true}) {
    const Folder& place = dying ? folder : undisturbed;
    RunningService service(
        place,
        daemon_config(dying ? std::vector<std::string>{"--crash", "0.1"} : std::vector<std::string>{}, 2));
    service.submit(sim_job("night"));
    CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
    CHECK((service.count("worker_lost", "") > 3) == dying);
    CHECK((service.count("worker_replaced", "") > 3) == dying);
  }
  CHECK(verified(folder.file("a.db")) == verified(undisturbed.file("a.db")));
}

TEST_CASE("workers that cannot work at all do not stop the service, and a reload mends the pool") {
  const Folder folder;
  RunningService service(folder, daemon_config({"--never-start"}));
  service.submit(sim_job("night", 1));
  service.wait_for("worker_lost");
  const std::uint64_t first = service.events().last();
  service.wait_for("worker_lost", "", first);
  const Json job = service.must(Verb::job, "night");
  CHECK(job["state"] == "running");
  CHECK(holds(job["active"]["waits_for_worker"], "did not start"));
  CHECK(service.must(Verb::workers)["pools"][0]["workers"][0]["losses"] >= 2);
  service.must(Verb::pause, "night");
  service.wait_for("job_paused", "night");
  service.configure({{"pools", "none"}});
  const ServiceReply wrong = service.ask(Verb::reload);
  CHECK((!wrong && holds(wrong.error().message, "kevolved.json: pools")));
  Json config = daemon_config({});
  config["http"] = {{"port", 1}};
  service.configure(config);
  const Json change = service.must(Verb::reload);
  CHECK(change["changed"] == Json({"pools"}));
  CHECK(change["needs_restart"] == Json({"http"}));
  service.must(Verb::resume, "night");
  CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
}

TEST_CASE(
    "a job's own launcher gets a pool of its own where that is allowed, and fails when it cannot start") {
  const Folder folder;
  Json config = daemon_config({});
  config["job_launchers"] = true;
  RunningService service(folder, config);
  Json job = sim_job("own", 1);
  job["launcher"] = simulated_launcher({"--model", "another"});
  service.submit(job);
  CHECK(service.wait_for("job_started", "own").data["model"] == "another");
  CHECK(service.wait_for("job_ended", "own").data["state"] == "finished");
  CHECK(service.must(Verb::workers)["pools"].size() == 1);  // it went with the job
  job["name"] = "broken";
  job["launcher"] = {"/no/such/program"};
  service.submit(job);
  const Event end = service.wait_for("job_ended", "broken");
  CHECK(end.data["state"] == "failed");
  CHECK(holds(end.data["reason"], "/no/such/program"));
}

TEST_CASE("a worker that disagrees with the first of its pool is refused") {
  const Folder folder;
  // The first takes the mark away; the second, which does not find it, calls its device by another name.
  const std::string mark = folder.write("mark", "");
  const std::string script = folder.write(
      "launch.sh",
      fmt::format("#!/bin/sh\nif rm {} 2>/dev/null; then exec {} --delay-ms 5 -- \"$@\"; fi\n"
                  "sleep 0.3\nexec {} --model another -- \"$@\"\n",
                  mark, KEVOLVE_BIN_DIR "/simulated-worker", KEVOLVE_BIN_DIR "/simulated-worker"));
  Json config = daemon_config({}, 2);
  config["pools"][0]["launcher"] = {"sh", script};
  RunningService service(folder, config);
  service.submit(sim_job("night"));
  const Event refused = service.wait_for("worker_refused");
  CHECK(holds(refused.data["text"], "workers disagree on device 'cpu'"));
  CHECK(service.wait_for("job_ended", "night").data["state"] == "finished");
}

TEST_CASE("workers with nothing to do end, and start again when there is something") {
  const Folder folder;
  Json config = daemon_config({});
  config["pools"][0]["idle_seconds"] = 1;
  RunningService service(folder, config);
  service.submit(sim_job("first", 1));
  service.wait_for("workers_idle");
  CHECK(service.must(Verb::workers)["pools"][0]["workers"][0]["state"] == "off");
  service.submit(sim_job("second", 1));
  CHECK(service.wait_for("job_ended", "second").data["state"] == "finished");
}
