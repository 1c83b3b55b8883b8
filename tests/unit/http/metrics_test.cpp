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
                                        {"jobs", {{"running", 2}, {"odd", "x"}}},
                                        {"workers", 7}});
  const std::string text = to_prometheus(metrics);
  CHECK(text.find("kevolve_jobs{state=\"running\"} 2\n") != std::string::npos);
  CHECK(text.find("odd") == std::string::npos);
  CHECK(text.find("kevolve_draining 1\n") != std::string::npos);
  CHECK(text.find("kevolve_workers") == std::string::npos);
  CHECK(text.find("kevolve_requests_in_flight") == std::string::npos);
  CHECK(service_metrics(nullptr).empty());
}

TEST_CASE("names follow Prometheus' conventions, and each family is there once") {
  std::vector<Metric> all = service_metrics({{"version", "1"},
                                             {"draining", false},
                                             {"uptime_seconds", 1},
                                             {"requests_in_flight", 1},
                                             {"jobs", {{"running", 1}}},
                                             {"workers", {{"ready", 1}}}});
  for (const Metric& metric : process_metrics()) all.push_back(metric);
  CHECK(all.size() == 13);
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
