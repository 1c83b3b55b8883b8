#include "core/model/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/field_reader.hpp"

namespace kevolve {
namespace {

template <class Number>
Json numbers(const std::map<std::string, Number>& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) {
    if constexpr (std::is_floating_point_v<Number>) {
      json[key] = number_to_json(value);
    } else {
      json[key] = value;
    }
  }
  return json;
}

Json verdict_to_json(const Verdict& verdict) {
  return {{"outcome", name(verdict.outcome)}, {"gate", name(verdict.gate)}, {"evidence", verdict.evidence}};
}

Result<Verdict> verdict_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Verdict verdict;
  fields.name("outcome", verdict.outcome, outcome_from_name, "the name of an outcome such as \"passed\"");
  fields.name("gate", verdict.gate, gate_from_name, "the name of a gate such as \"compile\"");
  fields.read("evidence", verdict.evidence);
  return fields.finish(std::move(verdict));
}

Json measurement_to_json(const Measurement& measurement) {
  Json samples = Json::array();
  for (const double sample : measurement.samples_us) samples.push_back(number_to_json(sample));
  Json json = {{"subject", measurement.subject},
               {"mode", measurement.mode},
               {"samples_us", std::move(samples)},
               {"median_us", number_to_json(measurement.median_us)},
               {"low_us", number_to_json(measurement.low_us)},
               {"high_us", number_to_json(measurement.high_us)}};
  if (!measurement.sm_mhz.empty()) json["sm_mhz"] = measurement.sm_mhz;
  if (!measurement.backend.empty()) json["backend"] = measurement.backend;
  return json;
}

Result<Measurement> measurement_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Measurement measurement;
  fields.read("subject", measurement.subject);
  fields.read("mode", measurement.mode);
  fields.read("samples_us", measurement.samples_us);
  fields.read("median_us", measurement.median_us);
  fields.read("low_us", measurement.low_us);
  fields.read("high_us", measurement.high_us);
  if (fields.find("sm_mhz") != nullptr) fields.read("sm_mhz", measurement.sm_mhz);
  fields.maybe("backend", measurement.backend);
  return fields.finish(std::move(measurement));
}

Json accuracy_to_json(const Accuracy& accuracy) {
  return {{"max_error", number_to_json(accuracy.max_error)},
          {"norm_error", number_to_json(accuracy.norm_error)},
          {"torch_max_error", number_to_json(accuracy.torch_max_error)},
          {"torch_norm_error", number_to_json(accuracy.torch_norm_error)},
          {"worst_draw", accuracy.worst_draw}};
}

Result<Accuracy> accuracy_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Accuracy accuracy;
  fields.read("max_error", accuracy.max_error);
  fields.read("norm_error", accuracy.norm_error);
  fields.read("torch_max_error", accuracy.torch_max_error);
  fields.read("torch_norm_error", accuracy.torch_norm_error);
  fields.read("worst_draw", accuracy.worst_draw);
  return fields.finish(std::move(accuracy));
}

Result<Witness> witness_at(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Witness witness;
  fields.maybe("launches", witness.launches);
  fields.maybe("busy_us", witness.busy_us);
  fields.maybe("span_us", witness.span_us);
  fields.maybe("unavailable", witness.unavailable);
  return fields.finish(std::move(witness));
}

Json compile_to_json(const CompileReport& report) {
  return {{"binary_hash", report.binary_hash},
          {"binary_bytes", report.binary_bytes},
          {"cached", report.cached},
          {"log", report.log},
          {"resources", numbers(report.resources)}};
}

Result<CompileReport> compile_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  CompileReport report;
  fields.read("binary_hash", report.binary_hash);
  fields.read("binary_bytes", report.binary_bytes);
  fields.read("cached", report.cached);
  fields.read("log", report.log);
  fields.read("resources", report.resources);
  return fields.finish(std::move(report));
}

Result<std::string> fact_from_json(const Json& json, const std::string& where) {
  if (!json.is_string()) return failure(where + ": expected a string");
  return json.get<std::string>();
}

Result<DeviceInfo> device_at(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  DeviceInfo device;
  fields.read("name", device.name);
  fields.read("model", device.model);
  fields.read("architecture", device.architecture);
  fields.read("driver", device.driver);
  fields.read("toolchain", device.toolchain);
  fields.read("torch", device.torch);
  fields.read("num_sms", device.num_sms);
  if (fields.find("facts") != nullptr) fields.list("facts", device.facts, fact_from_json);
  fields.maybe("memory_bytes_per_us", device.memory_bytes_per_us);
  if (const Json* traits = fields.find("traits"))
    fields.take(traits_from_json(*traits, fields.at("traits")), device.told_traits);
  return fields.finish(std::move(device));
}

}  // namespace

std::string DeviceInfo::key() const {
  return fmt::format("{} | {} | {} | driver {} | {} | torch {} | {} SMs", name, model, architecture,
                     driver.empty() ? "-" : driver, toolchain, torch, num_sms);
}

DeviceTraits DeviceInfo::traits() const {
  return told_traits ? *told_traits : traits_by_name(name, architecture);
}

const Measurement* Evaluation::measurement(std::string_view subject) const {
  const auto found = std::find_if(measurements.begin(), measurements.end(),
                                  [&](const Measurement& candidate) { return candidate.subject == subject; });
  return found == measurements.end() ? nullptr : &*found;
}

Json to_json(const DeviceInfo& device) {
  Json json = {
      {"name", device.name},      {"model", device.model},         {"architecture", device.architecture},
      {"driver", device.driver},  {"toolchain", device.toolchain}, {"torch", device.torch},
      {"num_sms", device.num_sms}};
  if (!device.facts.empty()) json["facts"] = device.facts;
  if (device.memory_bytes_per_us > 0) json["memory_bytes_per_us"] = device.memory_bytes_per_us;
  return json;
}

Result<DeviceInfo> device_from_json(const Json& json) {
  return device_at(json, "device");
}

Json to_json(const Witness& witness) {
  if (!witness.unavailable.empty()) return {{"unavailable", witness.unavailable}};
  return {{"launches", witness.launches}, {"busy_us", witness.busy_us}, {"span_us", witness.span_us}};
}

Result<Witness> witness_from_json(const Json& json) {
  return witness_at(json, "witness");
}

Json to_json(const Evaluation& evaluation) {
  Json json = {{"verdict", verdict_to_json(evaluation.verdict)}, {"gate_ms", numbers(evaluation.gate_ms)}};
  if (evaluation.compile) json["compile"] = compile_to_json(*evaluation.compile);
  if (evaluation.precision) json["precision"] = name(*evaluation.precision);
  if (evaluation.accuracy) json["accuracy"] = accuracy_to_json(*evaluation.accuracy);
  json["measurements"] = Json::array();
  for (const Measurement& measurement : evaluation.measurements) {
    json["measurements"].push_back(measurement_to_json(measurement));
  }
  if (evaluation.prepare_us) json["prepare_us"] = number_to_json(*evaluation.prepare_us);
  json["speedup_low"] = number_to_json(evaluation.speedup_low);
  json["speedup"] = number_to_json(evaluation.speedup);
  if (evaluation.witness) json["witness"] = to_json(*evaluation.witness);
  if (evaluation.profile) json["profile"] = to_json(*evaluation.profile);
  json["floor_us"] = number_to_json(evaluation.floor_us);
  json["seed"] = evaluation.seed;
  json["device"] = to_json(evaluation.device);
  return json;
}

Result<Evaluation> evaluation_from_json(const Json& json) {
  FieldReader fields(json, "evaluation");
  Evaluation evaluation;
  if (const Json* verdict = fields.required("verdict")) {
    fields.take(verdict_from_json(*verdict, fields.at("verdict")), evaluation.verdict);
  }
  fields.read("gate_ms", evaluation.gate_ms);
  if (const Json* compile = fields.find("compile")) {
    fields.take(compile_from_json(*compile, fields.at("compile")), evaluation.compile);
  }
  if (fields.find("precision") != nullptr) {
    fields.name("precision", evaluation.precision.emplace(), precision_from_name,
                "the name of a precision class such as \"strict_fp32\"");
  }
  if (const Json* accuracy = fields.find("accuracy")) {
    fields.take(accuracy_from_json(*accuracy, fields.at("accuracy")), evaluation.accuracy);
  }
  fields.list("measurements", evaluation.measurements, measurement_from_json);
  fields.maybe("prepare_us", evaluation.prepare_us);
  fields.read("speedup_low", evaluation.speedup_low);
  fields.read("speedup", evaluation.speedup);
  if (const Json* witness = fields.find("witness")) {
    fields.take(witness_at(*witness, fields.at("witness")), evaluation.witness);
  }
  if (const Json* profile = fields.find("profile")) {
    fields.take(profile_from_json(*profile, fields.at("profile")), evaluation.profile);
  }
  fields.read("floor_us", evaluation.floor_us);
  fields.read("seed", evaluation.seed);
  if (const Json* device = fields.required("device")) {
    fields.take(device_at(*device, fields.at("device")), evaluation.device);
  }
  return fields.finish(std::move(evaluation));
}

}  // namespace kevolve
