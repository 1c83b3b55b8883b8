#include "archive/records.hpp"

#include "archive/questions.hpp"

namespace kevolve::archive {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class Tag>
Json or_null(const std::optional<Id<Tag>>& id) {
  return id ? Json(id->value) : Json(nullptr);
}

Json parents_json(const std::vector<ParentRecord>& parents) {
  Json list = Json::array();
  for (const ParentRecord& parent : parents) {
    list.push_back({{"candidate", parent.candidate.value}, {"relation", name(parent.relation)}});
  }
  return list;
}

Json idea_json(const IdeaRecord& idea) {
  Json parents = Json::array();
  for (const CandidateId parent : idea.parents) parents.push_back(parent.value);
  return {{"id", idea.id.value},
          {"source", idea.source},
          {"key", idea.key},
          {"text", idea.text},
          {"bottleneck", idea.bottleneck},
          {"predicted_us", idea.predicted_us ? Json(*idea.predicted_us) : Json()},
          {"parents", std::move(parents)},
          {"round", or_null(idea.round)},
          {"created_at", to_iso8601(idea.created_at)}};
}

}  // namespace

Json to_json(const RankedKernel& kernel) {
  return {
      {"rank", kernel.rank},
      {"operator", kernel.operator_name},
      {"operator_hash", kernel.operator_hash},
      {"workload", kernel.workload},
      {"device", to_json(kernel.device_info)},
      {"precision", name(kernel.precision)},
      {"yardstick", kernel.yardstick},
      {"candidate", kernel.candidate.value},
      {"candidate_hash", kernel.candidate_hash},
      {"evaluation", kernel.evaluation.value},
      {"figure", name(kernel.figure)},
      {"median_us", kernel.median_us},
      {"low_us", kernel.low_us},
      {"high_us", kernel.high_us},
      {"yardstick_us", kernel.yardstick_us},
      {"speedup", kernel.speedup},
      {"speedup_low", kernel.speedup_low},
      {"idea",
       {{"id", kernel.idea.value},
        {"source", kernel.idea_source},
        {"key", kernel.idea_key},
        {"text", kernel.idea_text}}},
      {"tunables", kernel.tunables},
      {"job", kernel.job.empty() ? Json(nullptr) : Json(kernel.job)},
      {"round", or_null(kernel.round_number)},
  };
}

Json to_json(const EvaluationRecord& record) {
  return {{"id", record.id.value},
          {"candidate", record.candidate.value},
          {"run", or_null(record.run)},
          {"workload", record.workload},
          {"precision", name(record.precision)},
          {"yardstick", record.yardstick},
          {"purpose", name(record.purpose)},
          {"evaluated_at", to_iso8601(record.evaluated_at)},
          {"result", to_json(record.evaluation)}};
}

Json to_json(const StandingRecord& standing) {
  return {{"workload", standing.workload},
          {"device", to_json(standing.device_info)},
          {"precision", name(standing.precision)},
          {"yardstick", standing.yardstick},
          {"state", standing.refuted ? "refuted" : "verified"},
          {"evaluation", standing.evaluation.value},
          {"figure", name(standing.figure)},
          {"speedup", standing.speedup}};
}

Json to_json(const CandidateDetail& detail) {
  Json standings = Json::array();
  for (const StandingRecord& standing : detail.standings) standings.push_back(to_json(standing));
  const CandidateRecord& candidate = detail.candidate;
  Json evaluations = Json::array();
  for (const EvaluationRecord& record : detail.evaluations) evaluations.push_back(to_json(record));
  return {{"id", candidate.id.value},
          {"candidate_hash", candidate.hash},
          {"operator", detail.operator_name},
          {"round", or_null(candidate.round)},
          {"state", name(candidate.state)},
          {"evaluation", or_null(candidate.evaluation)},
          {"created_at", to_iso8601(candidate.created_at)},
          {"idea", idea_json(detail.idea)},
          {"tunables", candidate.tunables},
          {"parents", parents_json(candidate.parents)},
          {"source_hash", candidate.source_hash},
          {"source", candidate.source},
          {"standings", std::move(standings)},
          {"evaluations", std::move(evaluations)}};
}

Json to_json(const LineageNode& node) {
  Json json = {{"candidate", node.candidate.value}, {"candidate_hash", node.hash}};
  if (node.relation) json["relation"] = name(*node.relation);
  json["idea"] = node.idea_text;
  json["tunables"] = node.tunables;
  json["round"] = or_null(node.round_number);
  json["outcome"] = node.verdict ? Json(name(node.verdict->outcome)) : Json(nullptr);
  json["gate"] = node.verdict ? Json(name(node.verdict->gate)) : Json(nullptr);
  json["speedup"] = node.speedup;
  json["repeated"] = node.repeated;
  json["cut"] = node.cut;
  json["parents"] = Json::array();
  for (const LineageNode& parent : node.parents) json["parents"].push_back(to_json(parent));
  return json;
}

Json to_json(const LedgerRecord& entry) {
  return {{"idea", entry.idea.value},
          {"round", or_null(entry.round_number)},
          {"workload", entry.workload},
          {"source", entry.source},
          {"key", entry.key},
          {"text", entry.text},
          {"predicted_us", entry.predicted_us ? Json(*entry.predicted_us) : Json()},
          {"attempts", entry.attempts},
          {"evaluated", entry.evaluated},
          {"passed", entry.passed},
          {"best_speedup", entry.best_speedup},
          {"best_us", entry.best_us},
          {"outcomes", entry.outcomes},
          {"last_failure", entry.last_failure}};
}

Json to_json(const CostRecord& cost) {
  const Spending& spent = cost.spent;
  return {{"job", cost.job},
          {"source", cost.source},
          {"model", cost.model},
          {"exchanges", cost.exchanges},
          {"requests", spent.requests},
          {"input_tokens", spent.input_tokens},
          {"cached_tokens", spent.cached_tokens},
          {"output_tokens", spent.output_tokens},
          {"reasoning_tokens", spent.reasoning_tokens},
          {"usd", spent.usd},
          {"unpriced_exchanges", spent.unpriced},
          {"ideas", cost.ideas},
          {"candidates", cost.candidates},
          {"verified", cost.verified},
          {"wins", cost.wins}};
}

Json to_json(const ExchangeRecord& x) {
  Json messages = Json::array();
  for (const ExchangeMessage& message : x.messages)
    messages.push_back({{"role", message.role}, {"text", message.text}});
  return {{"id", x.id.value},
          {"round", x.round.value},
          {"slot", x.slot},
          {"source", x.source},
          {"model", x.model},
          {"served_by", x.served_by},
          {"outcome", x.outcome},
          {"error", x.error},
          {"messages", std::move(messages)},
          {"reply", x.reply},
          {"reasoning", x.reasoning},
          {"finish", x.finish},
          {"input_tokens", x.input_tokens},
          {"cached_tokens", x.cached_tokens},
          {"output_tokens", x.output_tokens},
          {"reasoning_tokens", x.reasoning_tokens},
          {"usage_estimated", x.usage_estimated},
          {"cost_usd", x.cost_usd ? Json(*x.cost_usd) : Json()},
          {"latency_ms", x.latency_ms},
          {"attempts", x.attempts},
          {"answered_at", to_iso8601(x.answered_at)}};
}

Json to_json(const Funnel& funnel) {
  Json stops = Json::array();
  for (const Funnel::Stop& stop : funnel.stops) {
    stops.push_back(
        {{"gate", name(stop.gate)}, {"outcome", name(stop.outcome)}, {"candidates", stop.candidates}});
  }
  return {{"proposed", funnel.proposed},
          {"evaluating", funnel.evaluating},
          {"evaluated", funnel.evaluated},
          {"stops", std::move(stops)}};
}

Json to_json(const RoundBest& best) {
  return {{"operator", best.operator_name},
          {"workload", best.round.workload},
          {"round", best.round.number},
          {"state", name(best.round.state)},
          {"candidate", best.candidate.value == 0 ? Json(nullptr) : Json(best.candidate.value)},
          {"speedup", best.speedup},
          {"median_us", best.median_us}};
}

Json to_json(const JobChampion& champion) {
  return {{"operator", champion.operator_name},
          {"workload", champion.workload},
          {"device", champion.device_model},
          {"precision", name(champion.precision)},
          {"candidate", champion.candidate.value},
          {"candidate_hash", champion.candidate_hash},
          {"idea", champion.idea_text},
          {"speedup", champion.speedup},
          {"changes", champion.changes},
          {"refuted", champion.refuted},
          {"promoted_at", to_iso8601(champion.promoted_at)}};
}

}  // namespace kevolve::archive
