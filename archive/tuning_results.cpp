// Evaluations in the auto-tuners' common results format: T4 1.0.0, the schema of Kernel Tuner
// (kernel_tuner/schema/T4/1.0.0/results-schema.json). Times in milliseconds, as Kernel Tuner writes them.

#include <fmt/format.h>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

std::string_view invalidity(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "correct";
    case Outcome::not_applicable:
    case Outcome::unsupported:
    case Outcome::policy_violation:
      return "constraints";
    case Outcome::compile_error:
    case Outcome::inspect_violation:
      return "compile";
    case Outcome::compile_timeout:
    case Outcome::timeout:
    case Outcome::deadlock:
      return "timeout";
    case Outcome::race:
    case Outcome::unwritten:
    case Outcome::wrong_result:
    case Outcome::wrong_precision:
      return "correctness";
    default:
      return "runtime";
  }
}

double gate_ms(const Json& times, const char* gate) {
  return times.is_object() && times.contains(gate) && times.at(gate).is_number()
             ? times.at(gate).get<double>()
             : 0.0;
}

constexpr std::string_view kRows = R"sql(
SELECT e.id, e.evaluated_at_ms, c.tunables, s.sha256, e.gate, e.outcome, e.gate_ms, e.speedup,
       m.median_us, m.samples_us
  FROM operators o JOIN evaluations e ON e.operator = o.id
  JOIN devices d ON d.id = e.device
  JOIN candidates c ON c.id = e.candidate
  JOIN sources s ON s.id = c.source
  LEFT JOIN measurements m ON m.evaluation = e.id AND m.subject = 'candidate'
 WHERE o.name = ?1 AND e.workload = ?2 AND (?3 = '' OR ?3 IN (d.key, d.name, d.model)) ORDER BY e.id)sql";

Json result_json(const Statement& row) {
  std::int64_t id = 0;
  Timestamp at;
  Json tunables, gates;
  std::string source;
  Verdict verdict;
  double speedup = 0;
  std::optional<double> median_us;
  std::optional<std::vector<double>> samples_us;
  row.read(id, at, tunables, source, verdict.gate, verdict.outcome, gates, speedup, median_us, samples_us);
  Json configuration = {{"source", source.substr(0, 16)}};
  configuration.update(tunables);
  Json runtimes = Json::array(), measurements = Json::array();
  if (samples_us) {
    for (const double us : *samples_us) runtimes.push_back(us / 1e3);
  }
  if (median_us) {
    measurements.push_back({{"name", "time"}, {"value", *median_us / 1e3}, {"unit", "ms"}});
    measurements.push_back({{"name", "speedup"}, {"value", speedup}, {"unit", ""}});
  }
  return {{"timestamp", to_iso8601(at)},
          {"configuration", std::move(configuration)},
          {"objectives", {"time"}},
          {"times",
           {{"compilation_time", gate_ms(gates, "compile")},
            {"runtimes", std::move(runtimes)},
            {"framework", gate_ms(gates, "policy") + gate_ms(gates, "inspect")},
            {"search_algorithm", 0.0},
            {"validation", gate_ms(gates, "correctness")}}},
          {"invalidity", invalidity(verdict.outcome)},
          {"correctness", verdict.passed() ? 1.0 : 0.0},
          {"measurements", std::move(measurements)}};
}

}  // namespace

Result<std::int64_t> Archive::export_tuning_results(const RankingQuery& query,
                                                    const std::function<bool(std::string_view)>& write) {
  return impl_->read([&] {
    const auto put = [&](std::string_view text) {
      if (!write(text)) throw ArchiveFailure("the export could not be written; is the disk full?");
    };
    put("{\"schema_version\": \"1.0.0\", \"results\": [");
    Statement rows(impl_->connection, kRows);
    rows.bind(query.operator_name, query.workload, query.device);
    std::int64_t count = 0;
    for (; rows.step(); ++count)
      put((count == 0 ? "\n" : ",\n") +
          result_json(rows).dump(-1, ' ', false, Json::error_handler_t::replace));
    put("\n]}\n");
    return count;
  });
}

}  // namespace kevolve::archive
