#include "daemon/http/metrics.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kevolve::http {
namespace {
namespace fs = std::filesystem;

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return value == std::floor(value) && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                              : fmt::format("{}", value);
}

Metric single(std::string name, std::string help, double value, std::string type = "gauge") {
  return {std::move(name), std::move(help), std::move(type), {{{}, value}}};
}

/// An object of numbers, by one label.
void add_by_label(std::vector<Metric>& metrics, const Json& status, const char* key, const char* name,
                  const char* help, const char* label) {
  const auto found = status.find(key);
  if (found == status.end() || !found->is_object()) return;
  Metric metric{name, help, "gauge", {}};
  for (const auto& [word, value] : found->items()) {
    if (value.is_number()) metric.samples.push_back({{{label, word}}, value.get<double>()});
  }
  metrics.push_back(std::move(metric));
}

Metric by_pair(const char* name, const char* help,
               const std::map<std::pair<std::string, std::string>, double>& sums, const char* first,
               const char* second) {
  Metric metric{name, help, "counter", {}};
  for (const auto& [key, value] : sums)
    metric.samples.push_back({{{first, key.first}, {second, key.second}}, value});
  return metric;
}

/// Fields of /proc/self/stat behind the program's name, which may hold spaces.
std::vector<double> process_status() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream words(text.substr(std::min(text.rfind(')') + 1, text.size())));
  std::vector<double> fields;
  for (std::string word; words >> word;) fields.push_back(std::atof(word.c_str()));
  return fields;
}

double started_at(double ticks_since_boot, double ticks_a_second) {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::atof(line.c_str() + 6) + ticks_since_boot / ticks_a_second;
  }
  return 0;
}

double open_files() {
  std::error_code error;
  double count = 0;
  for (auto entry = fs::directory_iterator("/proc/self/fd", error);
       !error && entry != fs::directory_iterator(); entry.increment(error))
    ++count;
  return count - 1;  // the folder's own
}

}  // namespace

std::string to_prometheus(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    if (metric.samples.empty()) continue;
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric.name, escaped(metric.help, false), metric.name,
                        metric.type);
    for (const Metric::Sample& sample : metric.samples) {
      text += metric.name;
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        const auto& [name, value] = sample.labels[i];
        text += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", name, escaped(value, true));
      }
      text += fmt::format("{} {}\n", sample.labels.empty() ? "" : "}", number(sample.value));
    }
  }
  return text;
}

std::vector<Metric> service_metrics(const Json& status) {
  std::vector<Metric> metrics;
  if (!status.is_object()) return metrics;
  if (const auto version = status.find("version"); version != status.end() && version->is_string())
    metrics.push_back(
        {"kevolve_build_info", "Always 1.", "gauge", {{{{"version", version->get<std::string>()}}, 1}}});
  const auto add = [&](const char* key, const char* name, const char* help) {
    const auto found = status.find(key);
    if (found == status.end()) return;
    if (found->is_boolean()) metrics.push_back(single(name, help, found->get<bool>() ? 1 : 0));
    if (found->is_number()) metrics.push_back(single(name, help, found->get<double>()));
  };
  add("uptime_seconds", "kevolve_uptime_seconds", "Since the service started.");
  add("draining", "kevolve_draining", "1 while nothing new is begun.");
  add_by_label(metrics, status, "jobs", "kevolve_jobs", "Jobs by state.", "state");
  return metrics;
}

std::vector<Metric> worker_metrics(const Json& workers) {
  const Json none = Json::array();
  const auto list = [&none](const Json& object, const char* key) -> const Json& {
    const bool there = object.is_object() && object.contains(key) && object[key].is_array();
    return there ? object[key] : none;
  };
  const auto count = [](const Json& worker, const char* key) {
    const bool there = worker.contains(key) && worker[key].is_number();
    return there ? worker[key].get<double>() : 0;
  };
  Metric in_flight{"kevolve_requests_in_flight", "Candidates that workers judge now.", "gauge", {}};
  Metric losses{"kevolve_worker_losses_total", "Workers that ended and had to be replaced.", "counter", {}};
  std::map<std::pair<std::string, std::string>, double> states;
  for (const Json& pool : list(workers, "pools")) {
    if (!pool.is_object() || !pool.contains("name") || !pool["name"].is_string()) continue;
    const auto name = pool["name"].get<std::string>();
    double judged = 0, lost = 0;
    for (const Json& worker : list(pool, "workers")) {
      if (!worker.is_object() || !worker.contains("state") || !worker["state"].is_string()) continue;
      ++states[{name, worker["state"].get<std::string>()}];
      judged += count(worker, "in_flight");
      lost += count(worker, "losses");
    }
    in_flight.samples.push_back({{{"pool", name}}, judged});
    losses.samples.push_back({{{"pool", name}}, lost});
  }
  Metric by_state = by_pair("kevolve_workers", "Workers by pool and state.", states, "pool", "state");
  by_state.type = "gauge";
  return {std::move(by_state), std::move(in_flight), std::move(losses)};
}

std::vector<Metric> process_metrics() {
  const std::vector<double> status = process_status();
  if (status.size() < 22) return {};
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return {
      single("process_cpu_seconds_total", "User and system time.", (status[11] + status[12]) / ticks,
             "counter"),
      single("process_resident_memory_bytes", "Memory in use.",
             status[21] * static_cast<double>(::sysconf(_SC_PAGESIZE))),
      single("process_virtual_memory_bytes", "Memory mapped.", status[20]),
      single("process_open_fds", "Open files.", open_files()),
      single("process_max_fds", "Files that may be open.", static_cast<double>(files.rlim_cur)),
      single("process_threads", "Threads.", status[17]),
      single("process_start_time_seconds", "Since 1970.", started_at(status[19], ticks)),
  };
}

Result<void> ArchiveTotals::add_growth(archive::Archive& archive) {
  TRY(const archive::Growth growth, archive.growth_since(counted_));
  counted_ = growth.end;
  for (const auto& [verdict, count] : growth.evaluations) {
    evaluations_[{std::string(name(verdict.first)), std::string(name(verdict.second))}] +=
        static_cast<double>(count);
  }
  for (const auto& [key, count] : growth.exchanges) exchanges_[key] += static_cast<double>(count);
  input_tokens_ += static_cast<double>(growth.input_tokens);
  output_tokens_ += static_cast<double>(growth.output_tokens);
  usd_ += growth.usd;
  return {};
}

Result<std::vector<Metric>> ArchiveTotals::read(archive::Archive& archive) {
  const std::lock_guard lock(mutex_);
  TRY_DO(add_growth(archive));
  Metric size{
      "kevolve_archive_size_bytes", "Of the archive's file, and of its write-ahead log.", "gauge", {}};
  for (const auto& [label, suffix] : {std::pair{"main", ""}, std::pair{"wal", "-wal"}}) {
    std::error_code error;
    const auto bytes = fs::file_size(archive.path().string() + suffix, error);
    size.samples.push_back({{{"file", label}}, error ? 0 : static_cast<double>(bytes)});
  }
  return std::vector<Metric>{
      by_pair("kevolve_evaluations_total", "Evaluations in the archive, by last gate and outcome.",
              evaluations_, "gate", "outcome"),
      by_pair("kevolve_exchanges_total", "Questions to models, by source and outcome.", exchanges_, "source",
              "outcome"),
      {"kevolve_exchange_tokens_total",
       "Tokens of questions to models.",
       "counter",
       {{{{"direction", "input"}}, input_tokens_}, {{{"direction", "output"}}, output_tokens_}}},
      single("kevolve_exchange_cost_usd_total", "What models with a price cost.", usd_, "counter"),
      size};
}

}  // namespace kevolve::http
