#pragma once
// Metrics in Prometheus' text format 0.0.4, and where they come from. Families are plain values; only
// ArchiveTotals has a state, and is for any thread.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/archive.hpp"

namespace kevolve::http {

struct Metric {
  std::string name, help;
  std::string type = "gauge";  ///< or "counter"
  struct Sample {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
  };
  std::vector<Sample> samples;
};

std::string to_prometheus(const std::vector<Metric>& metrics);

/// From the service's answer to `status`; what is not in it is left out.
std::vector<Metric> service_metrics(const Json& status);

/// From the service's answer to `workers`, likewise.
std::vector<Metric> worker_metrics(const Json& workers);

/// Of this process, by the names that Prometheus' own clients use.
std::vector<Metric> process_metrics();

/// Sums over an archive's evaluations and exchanges. Only rows that came since the last time are read.
class ArchiveTotals {
 public:
  Result<std::vector<Metric>> read(archive::Archive& archive);

 private:
  Result<void> add_growth(archive::Archive& archive);

  using Pair = std::pair<std::string, std::string>;
  std::mutex mutex_;
  archive::Growth::Mark counted_;
  std::map<Pair, double> evaluations_, exchanges_;  ///< by gate and outcome; by source and outcome
  double input_tokens_ = 0, output_tokens_ = 0, usd_ = 0;
};

}  // namespace kevolve::http
