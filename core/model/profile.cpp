#include "core/model/profile.hpp"

#include <array>
#include <cstddef>

#include "core/text/field_reader.hpp"

namespace kevolve {
namespace {

constexpr std::array<std::string_view, 5> kRegimes = {"unknown", "memory_bound", "compute_bound",
                                                      "latency_bound", "not_memory_bound"};
static_assert(kRegimes.size() == static_cast<std::size_t>(Regime::not_memory_bound) + 1);

Result<std::string> sentence_from_json(const Json& json, const std::string& where) {
  if (!json.is_string()) return failure(where + ": expected a string");
  return json.get<std::string>();
}

}  // namespace

std::string_view name(Regime regime) {
  return kRegimes[static_cast<std::size_t>(regime)];
}

std::optional<Regime> regime_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kRegimes.size(); ++i) {
    if (kRegimes[i] == name) return static_cast<Regime>(i);
  }
  return std::nullopt;
}

Json to_json(const Profile& profile) {
  Json metrics = Json::object();
  for (const auto& [metric, value] : profile.metrics) metrics[metric] = number_to_json(value);
  return {{"regime", name(profile.regime)},
          {"source", profile.source},
          {"metrics", std::move(metrics)},
          {"advice", profile.advice}};
}

Result<Profile> profile_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Profile profile;
  fields.name("regime", profile.regime, regime_from_name, "the name of a regime such as \"memory_bound\"");
  fields.read("source", profile.source);
  fields.read("metrics", profile.metrics);
  fields.list("advice", profile.advice, sentence_from_json);
  return fields.finish(std::move(profile));
}

}  // namespace kevolve
