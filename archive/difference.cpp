#include "archive/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/model/candidate.hpp"
#include "core/model/common_scale.hpp"
#include "core/model/subjects.hpp"
#include "core/text/text_diff.hpp"

namespace kevolve::archive {
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

std::optional<TimeDifference::Time> time_of(const CandidateDetail& detail, const StandingRecord& standing) {
  TimeDifference::Time time{standing.evaluation, standing.figure};
  time.refuted = standing.refuted;
  time.speedup = standing.speedup;
  for (const EvaluationRecord& record : detail.evaluations) {
    if (record.id != standing.evaluation) continue;
    const Measurement* own = record.evaluation.measurement(subjects::kCandidate);
    if (own == nullptr) return std::nullopt;
    time.median_us = own->median_us;
    time.low_us = own->low_us;
    time.high_us = own->high_us;
    time.speedup_low = record.evaluation.speedup_low;
    return time;
  }
  return std::nullopt;
}

/// `time` on the scale of `reference`, whose yardstick is the same.
void rescale(TimeDifference::Time& time, const TimeDifference::Time& reference) {
  const double us = CommonScale::of(reference.median_us, reference.speedup).us(time.speedup);
  if (us <= 0 || time.median_us <= 0) return;  // refuted: without a speed-up
  const double factor = us / time.median_us;
  time.median_us *= factor;
  time.low_us *= factor;
  time.high_us *= factor;
}

std::vector<TimeDifference> times_of(const CandidateDetail& a, const CandidateDetail& b) {
  std::vector<TimeDifference> times;
  for (const StandingRecord& ours : a.standings) {
    for (const StandingRecord& theirs : b.standings) {
      if (ours.workload != theirs.workload || ours.device != theirs.device ||
          ours.precision != theirs.precision || ours.yardstick != theirs.yardstick)
        continue;
      const auto a_time = time_of(a, ours);
      auto b_time = time_of(b, theirs);
      if (!a_time || !b_time) continue;
      rescale(*b_time, *a_time);
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

KernelDifference difference(const CandidateDetail& a, const CandidateDetail& b, Kinship kinship) {
  KernelDifference result;
  result.tunables = compare_fields(Json(a.candidate.tunables), Json(b.candidate.tunables));
  result.plan = compare_fields(plan_of(a.candidate.source), plan_of(b.candidate.source));
  result.same_idea = a.idea.text == b.idea.text;
  result.kinship = std::move(kinship);
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

}  // namespace kevolve::archive
