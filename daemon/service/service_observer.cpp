#include "daemon/service/service_observer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "core/model/subjects.hpp"

namespace kevolve {
namespace {

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-.:/+@").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string in_line(const Json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json of_operator(const OperatorSummary& s) {
  return {{"operator", s.label}, {"workload", s.workload}};
}

}  // namespace

std::string event_line(std::string_view time, std::string_view type, std::string_view job, const Json& data) {
  std::string line = fmt::format("time={} event={}", time, type);
  if (!job.empty()) line += fmt::format(" job={}", job);
  for (const auto& [key, value] : data.items()) line += fmt::format(" {}={}", key, in_line(value));
  return line;
}

void EventSink::put(std::string_view type, std::string_view job, Json data) {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::string time =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  fmt::print(stderr, "{}\n", event_line(time, type, job, data));
  std::fflush(stderr);
  log_.append(type, job, std::move(data));
}

void ServiceObserver::run_started(const Job& job, const DeviceInfo& device) {
  sink_.put("job_started", job_,
            {{"device", device.name},
             {"model", device.model},
             {"operators", job.operators.size()},
             {"rounds", job.policy.rounds}});
}

void ServiceObserver::seeded(const OperatorSummary& naive) {
  Json data = of_operator(naive);
  data.update({{"naive_us", naive.naive_us}, {"eager_us", naive.eager_us}, {"best_us", naive.best_us}});
  sink_.put("seeded", job_, std::move(data));
}

void ServiceObserver::round_started(std::string_view op, int round, const std::vector<std::string>& ideas) {
  sink_.put("round_started", job_, {{"operator", op}, {"round", round}, {"ideas", ideas}});
}

void ServiceObserver::evaluated(std::string_view op, int round, std::string_view candidate,
                                std::string_view idea_key, const Evaluation& evaluation) {
  Json data{{"operator", op},
            {"round", round},
            {"candidate", candidate},
            {"idea", idea_key},
            {"outcome", name(evaluation.verdict.outcome)},
            {"gate", name(evaluation.verdict.gate)}};
  if (const Measurement* own = evaluation.measurement(subjects::kCandidate); own != nullptr) {
    data["median_us"] = own->median_us;
    data["speedup"] = evaluation.speedup;
  }
  sink_.put("evaluated", job_, std::move(data));
}

void ServiceObserver::exchanged(std::string_view op, int round, const NewExchange& x) {
  Json data{{"operator", op},
            {"round", round},
            {"slot", x.slot},
            {"source", x.source},
            {"model", x.model},
            {"outcome", x.outcome},
            {"attempts", x.attempts},
            {"latency_ms", x.latency_ms},
            {"input_tokens", x.input_tokens},
            {"output_tokens", x.output_tokens}};
  if (x.cost_usd) data["cost_usd"] = *x.cost_usd;
  sink_.put("exchanged", job_, std::move(data));
}

void ServiceObserver::promoted(const OperatorSummary& champion) {
  Json data = of_operator(champion);
  data.update({{"round", champion.round},
               {"candidate", champion.candidate_hash},
               {"idea", champion.idea_key},
               {"best_us", champion.best_us},
               {"speedup", champion.speedup},
               {"speedup_low", champion.speedup_low},
               {"yardstick", champion.yardstick}});
  sink_.put("promoted", job_, data);
  notify_("champion", std::move(data));
}

void ServiceObserver::operator_stopped(const OperatorSummary& summary) {
  Json data = of_operator(summary);
  data.update({{"rounds", summary.rounds}, {"reason", summary.note}});
  sink_.put("operator_stopped", job_, std::move(data));
}

void ServiceObserver::warned(std::string_view what) {
  sink_.put("warned", job_, {{"text", what}});
}

void ServiceObserver::troubled(std::string_view what) {
  warned(what);
  notify_("trouble", {{"text", what}});
}

void ServiceObserver::noted(std::string_view what) {
  sink_.put("noted", job_, {{"text", what}});
}

}  // namespace kevolve
