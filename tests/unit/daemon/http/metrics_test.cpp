#include "daemon/http/metrics.hpp"

#include <limits>
#include <regex>
#include <set>

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::http;

TEST_CASE("metrics are text that Prometheus reads") {
  const std::string text = to_prometheus(
      {{"a_total", "Of a.", "counter", {{{{"x", "1"}, {"y", "q\"u\\o\nte"}}, 3}, {{}, 2.5}}},
       {"empty", "Nothing.", "gauge", {}},
       {"b", "Line\nbreak\\.", "gauge", {{{}, std::numeric_limits<double>::infinity()}, {{}, 1e18}}}});
  CHECK(
      text ==
      "# HELP a_total Of a.\n# TYPE a_total counter\na_total{x=\"1\",y=\"q\\\"u\\\\o\\nte\"} 3\na_total 2.5\n"
      "# HELP b Line\\nbreak\\\\.\n# TYPE b gauge\nb +Inf\nb 1e+18\n");
}

TEST_CASE("a service's status becomes metrics, and what it lacks is left out") {
  const auto metrics = service_metrics({{"version", "1"},
                                        {"draining", true},
                                        {"uptime_seconds", 2.5},
                                        {"jobs", {{"running", 2}, {"odd", "x"}}}});
  const std::string text = to_prometheus(metrics);
  CHECK(text.find("kevolve_jobs{state=\"running\"} 2\n") != std::string::npos);
  CHECK(text.find("odd") == std::string::npos);
  CHECK(text.find("kevolve_draining 1\n") != std::string::npos);
  CHECK(service_metrics(nullptr).empty());
}

TEST_CASE("workers are counted by pool and state") {
  const Json ready = {{"state", "ready"}, {"in_flight", 2}, {"losses", 1}};
  const Json pools = {{{"name", "local"}, {"workers", {ready, ready, {{"state", "off"}}, 7}}},
                      {{"name", "gpu"}, {"workers", nullptr}},
                      3};
  CHECK(to_prometheus(worker_metrics({{"pools", pools}})) ==
        "# HELP kevolve_workers Workers by pool and state.\n# TYPE kevolve_workers gauge\n"
        "kevolve_workers{pool=\"local\",state=\"off\"} 1\nkevolve_workers{pool=\"local\",state=\"ready\"} 2\n"
        "# HELP kevolve_requests_in_flight Candidates that workers judge now.\n"
        "# TYPE kevolve_requests_in_flight gauge\nkevolve_requests_in_flight{pool=\"local\"} 4\n"
        "kevolve_requests_in_flight{pool=\"gpu\"} 0\n"
        "# HELP kevolve_worker_losses_total Workers that ended and had to be replaced.\n"
        "# TYPE kevolve_worker_losses_total counter\nkevolve_worker_losses_total{pool=\"local\"} 2\n"
        "kevolve_worker_losses_total{pool=\"gpu\"} 0\n");
  CHECK(to_prometheus(worker_metrics(nullptr)).empty());
}

TEST_CASE("names follow Prometheus' conventions, and each family is there once") {
  std::vector<Metric> all = service_metrics(
      {{"version", "1"}, {"draining", false}, {"uptime_seconds", 1}, {"jobs", {{"running", 1}}}});
  for (const Metric& metric : worker_metrics(nullptr)) all.push_back(metric);
  for (const Metric& metric : process_metrics()) all.push_back(metric);
  CHECK(all.size() == 14);
  std::set<std::string> names;
  for (const Metric& metric : all) {
    INFO(metric.name);
    CHECK(std::regex_match(metric.name, std::regex("(kevolve|process)_[a-z_]+")));
    CHECK((metric.type == "counter") == metric.name.ends_with("_total"));
    CHECK(metric.help.ends_with('.'));
    CHECK(names.insert(metric.name).second);
  }
}

TEST_CASE("a process knows its own memory, files and start") {
  std::map<std::string, double> found;
  for (const Metric& metric : process_metrics()) found[metric.name] = metric.samples.at(0).value;
  CHECK(found.at("process_resident_memory_bytes") > 1e6);
  CHECK(found.at("process_virtual_memory_bytes") > found.at("process_resident_memory_bytes"));
  CHECK(found.at("process_open_fds") >= 3);
  CHECK(found.at("process_open_fds") < found.at("process_max_fds"));
  CHECK(found.at("process_threads") >= 1);
  CHECK(found.at("process_start_time_seconds") > 1.6e9);
  CHECK(found.at("process_start_time_seconds") <= static_cast<double>(std::time(nullptr)) + 2);
}
