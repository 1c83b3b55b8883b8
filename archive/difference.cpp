#include "archive/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/model/candidate.hpp"
#include "core/model/text_diff.hpp"

namespace kevolve {
namespace {

using Fields = std::map<std::string, std::string>;

/// Every leaf by its path: "launches[0].grid[1]".
void flatten(const Json& json, const std::string& path, Fields& fields) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      flatten(value, path.empty() ? key : path + "." + key, fields);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) flatten(json[i], fmt::format("{}[{}]", path, i), fields);
  } else {
    fields[path] = json.is_string() ? json.get<std::string>() : json.dump();
  }
}

/// The header but for what is compared by itself; an object without fields when it cannot be read.
Json plan_of(const std::string& source) {
  const Result<std::string> text = header_text(source);
  Result<Json> header = text ? parse_json(*text, "header") : failure(text.error());
  if (!header || !header->is_object()) return Json::object();
  header->erase("idea");
  return std::move(*header);
}

struct Ancestor {
  int steps = 0;
  std::string hash, relation;  ///< of the step that leads to it, from `child`
  CandidateId child;
};
using Ancestors = std::map<CandidateId, Ancestor>;

std::vector<std::string> steps_to(const Ancestors& ancestors, CandidateId id) {
  std::vector<std::string> steps;
  for (auto at = ancestors.find(id); at->second.steps > 0; at = ancestors.find(at->second.child))
    steps.push_back(at->second.relation);
  std::reverse(steps.begin(), steps.end());
  return steps;
}

/// The nearest way to each ancestor; breadth first, since a tree repeats those that it shares.
Ancestors ancestors_of(const LineageNode& root) {
  std::map<CandidateId, const LineageNode*> expanded;
  std::vector<std::pair<const LineageNode*, Ancestor>> todo = {{&root, {}}};
  const auto remember = [&](const LineageNode& node, const auto& self) -> void {
    if (!node.repeated) expanded.emplace(node.candidate, &node);
    for (const LineageNode& parent : node.parents) self(parent, self);
  };
  remember(root, remember);
  Ancestors found;
  for (std::size_t i = 0; i < todo.size(); ++i) {
    auto [node, ancestor] = todo[i];
    ancestor.hash = node->hash;
    if (!found.emplace(node->candidate, ancestor).second) continue;
    const auto whole = expanded.find(node->candidate);
    for (const LineageNode& parent : (whole == expanded.end() ? node : whole->second)->parents) {
      const std::string relation(parent.relation ? name(*parent.relation) : "comes from");
      todo.emplace_back(&parent, Ancestor{ancestor.steps + 1, "", relation, node->candidate});
    }
  }
  return found;
}

std::optional<TimeDifference::Time> time_of(const CandidateDetail& detail, const StandingRecord& standing) {
  TimeDifference::Time time{standing.evaluation, standing.figure};
  time.refuted = standing.refuted;
  time.speedup = standing.speedup;
  for (const EvaluationRecord& record : detail.evaluations) {
    if (record.id != standing.evaluation) continue;
    const Measurement* own = record.evaluation.measurement("candidate");
    if (own == nullptr) return std::nullopt;
    time.median_us = own->median_us;
    time.low_us = own->low_us;
    time.high_us = own->high_us;
    time.speedup_low = record.evaluation.speedup_low;
    return time;
  }
  return std::nullopt;
}

std::vector<TimeDifference> times_of(const CandidateDetail& a, const CandidateDetail& b) {
  std::vector<TimeDifference> times;
  for (const StandingRecord& ours : a.standings) {
    for (const StandingRecord& theirs : b.standings) {
      if (ours.workload != theirs.workload || ours.device != theirs.device ||
          ours.precision != theirs.precision || ours.yardstick != theirs.yardstick)
        continue;
      const auto a_time = time_of(a, ours), b_time = time_of(b, theirs);
      if (a_time && b_time)
        times.push_back({ours.workload, ours.yardstick, ours.device_info, ours.precision, *a_time, *b_time});
    }
  }
  return times;
}

Json fields_json(const std::vector<FieldDifference>& fields) {
  Json list = Json::array();
  for (const FieldDifference& field : fields) {
    list.push_back({{"field", field.field},
                    {"a", field.a ? Json(*field.a) : Json(nullptr)},
                    {"b", field.b ? Json(*field.b) : Json(nullptr)}});
  }
  return list;
}

Json time_json(const TimeDifference::Time& time) {
  return {{"evaluation", time.evaluation.value},
          {"figure", name(time.figure)},
          {"median_us", time.median_us},
          {"low_us", time.low_us},
          {"high_us", time.high_us},
          {"speedup", time.speedup},
          {"speedup_low", time.speedup_low},
          {"refuted", time.refuted}};
}

std::string_view name(Kinship::Kind kind) {
  constexpr std::string_view kNames[] = {"none", "same", "a from b", "b from a", "common ancestor"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

bool TimeDifference::apart() const {
  return a.high_us < b.low_us || b.high_us < a.low_us;
}

std::vector<FieldDifference> compare_fields(const Json& a, const Json& b) {
  Fields ours, theirs;
  flatten(a, "", ours);
  flatten(b, "", theirs);
  std::vector<FieldDifference> differences;
  for (const auto& [field, value] : ours) {
    const auto other = theirs.find(field);
    if (other == theirs.end()) {
      differences.push_back({field, value, std::nullopt});
    } else if (other->second != value) {
      differences.push_back({field, value, other->second});
    }
  }
  for (const auto& [field, value] : theirs) {
    if (!ours.contains(field)) differences.push_back({field, std::nullopt, value});
  }
  std::ranges::sort(differences, {}, &FieldDifference::field);
  return differences;
}

Kinship kinship(const LineageNode& a, const LineageNode& b) {
  Kinship result;
  if (a.candidate == b.candidate) {
    result.kind = Kinship::Kind::same;
    return result;
  }
  const auto of_a = ancestors_of(a), of_b = ancestors_of(b);
  if (const auto found = of_a.find(b.candidate); found != of_a.end()) {
    result.kind = Kinship::Kind::a_from_b;
    result.steps = steps_to(of_a, b.candidate);
    return result;
  }
  if (const auto found = of_b.find(a.candidate); found != of_b.end()) {
    result.kind = Kinship::Kind::b_from_a;
    result.steps = steps_to(of_b, a.candidate);
    return result;
  }
  for (const auto& [id, ancestor] : of_a) {
    const auto other = of_b.find(id);
    if (other == of_b.end()) continue;
    const int sum = ancestor.steps + other->second.steps;
    if (result.kind == Kinship::Kind::common && sum >= result.a_steps + result.b_steps) continue;
    result.kind = Kinship::Kind::common;
    result.ancestor = id;
    result.ancestor_hash = ancestor.hash;
    result.a_steps = ancestor.steps;
    result.b_steps = other->second.steps;
  }
  return result;
}

KernelDifference difference(const CandidateDetail& a, const LineageNode& a_lineage, const CandidateDetail& b,
                            const LineageNode& b_lineage) {
  KernelDifference result;
  result.tunables = compare_fields(Json(a.candidate.tunables), Json(b.candidate.tunables));
  result.plan = compare_fields(plan_of(a.candidate.source), plan_of(b.candidate.source));
  result.same_idea = a.idea.text == b.idea.text;
  result.kinship = kinship(a_lineage, b_lineage);
  result.times = times_of(a, b);
  result.source_diff =
      unified_diff(a.candidate.source, b.candidate.source, fmt::format("#{}", a.candidate.id.value),
                   fmt::format("#{}", b.candidate.id.value));
  return result;
}

Json to_json(const KernelDifference& difference) {
  const Kinship& kin = difference.kinship;
  Json kinship = {{"kind", name(kin.kind)}, {"steps", kin.steps}};
  if (kin.kind == Kinship::Kind::common) {
    kinship["ancestor"] = kin.ancestor.value;
    kinship["ancestor_hash"] = kin.ancestor_hash;
    kinship["a_steps"] = kin.a_steps;
    kinship["b_steps"] = kin.b_steps;
  }
  Json times = Json::array();
  for (const TimeDifference& time : difference.times) {
    times.push_back({{"workload", time.workload},
                     {"device", to_json(time.device)},
                     {"precision", name(time.precision)},
                     {"yardstick", time.yardstick},
                     {"a", time_json(time.a)},
                     {"b", time_json(time.b)},
                     {"speedup_ratio", time.b.speedup > 0 ? time.a.speedup / time.b.speedup : 0},
                     {"intervals_apart", time.apart()}});
  }
  return {{"tunables", fields_json(difference.tunables)},
          {"plan", fields_json(difference.plan)},
          {"same_idea", difference.same_idea},
          {"kinship", kinship},
          {"times", times},
          {"source_diff", difference.source_diff}};
}

}  // namespace kevolve
