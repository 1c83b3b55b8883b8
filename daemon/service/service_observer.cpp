#include "daemon/service/service_observer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iterator>

#include "core/model/subjects.hpp"

namespace kevolve::service {
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

Json of_operator(const engine::OperatorSummary& s) {
  return {{"operator", s.label}, {"workload", s.workload}};
}

Json data_of(const engine::events::RunStarted& e) {
  return {{"device", e.device.name},
          {"model", e.device.model},
          {"operators", e.job.operators.size()},
          {"rounds", e.job.policy.rounds}};
}

Json data_of(const engine::events::Seeded& e) {
  Json data = of_operator(e.naive);
  data.update({{"naive_us", e.naive.naive_us}, {"eager_us", e.naive.eager_us}, {"best_us", e.naive.best_us}});
  return data;
}

Json data_of(const engine::events::RoundStarted& e) {
  return {{"operator", e.op}, {"round", e.round}, {"ideas", e.ideas}};
}

Json data_of(const engine::events::Evaluated& e) {
  Json data{{"operator", e.op},
            {"round", e.round},
            {"candidate", e.candidate},
            {"idea", e.idea_key},
            {"outcome", name(e.evaluation.verdict.outcome)},
            {"gate", name(e.evaluation.verdict.gate)}};
  if (const Measurement* own = e.evaluation.measurement(subjects::kCandidate); own != nullptr) {
    data["median_us"] = own->median_us;
    data["speedup"] = e.evaluation.speedup;
  }
  return data;
}

Json data_of(const engine::events::Exchanged& e) {
  const archive::NewExchange& x = e.exchange;
  Json data{{"operator", e.op},
            {"round", e.round},
            {"slot", x.slot},
            {"source", x.source},
            {"model", x.model},
            {"outcome", x.outcome},
            {"attempts", x.attempts},
            {"latency_ms", x.latency_ms},
            {"input_tokens", x.input_tokens},
            {"output_tokens", x.output_tokens}};
  if (x.cost_usd) data["cost_usd"] = *x.cost_usd;
  return data;
}

Json data_of(const engine::events::Promoted& e) {
  const engine::OperatorSummary& champion = e.champion;
  Json data = of_operator(champion);
  data.update({{"round", champion.round},
               {"candidate", champion.candidate_hash},
               {"idea", champion.idea_key},
               {"best_us", champion.best_us},
               {"speedup", champion.speedup},
               {"speedup_low", champion.speedup_low},
               {"yardstick", champion.yardstick}});
  return data;
}

Json data_of(const engine::events::OperatorStopped& e) {
  Json data = of_operator(e.summary);
  data.update({{"rounds", e.summary.rounds}, {"reason", e.summary.note}});
  return data;
}

/// Of Warned, Troubled and Noted.
template <class Text>
Json data_of(const Text& e) {
  return {{"text", e.what}};
}

Json data_of(const engine::events::RunEnded&) {
  return nullptr;
}

/// In the order of RunEvent's alternatives.
constexpr std::string_view kTypes[] = {
    "job_started",      "seeded", "round_started", "evaluated", "exchanged", "promoted",
    "operator_stopped", "warned", "warned",        "noted",     ""};
static_assert(std::size(kTypes) == std::variant_size_v<engine::RunEvent>);

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

std::optional<TypedEvent> typed(const engine::RunEvent& event) {
  if (std::holds_alternative<engine::events::RunEnded>(event)) return std::nullopt;
  return TypedEvent{kTypes[event.index()], std::visit([](const auto& e) { return data_of(e); }, event)};
}

void ServiceObserver::heard(const engine::RunEvent& event) {
  std::optional<TypedEvent> known = typed(event);
  if (!known) return;
  sink_.put(known->type, job_, known->data);
  if (std::holds_alternative<engine::events::Promoted>(event)) notify_("champion", std::move(known->data));
  if (std::holds_alternative<engine::events::Troubled>(event)) notify_("trouble", std::move(known->data));
}

}  // namespace kevolve::service
