#include "core/model/worker_protocol.hpp"

#include <fmt/format.h>

#include "core/text/field_reader.hpp"

namespace kevolve {
namespace {

constexpr int kMostParallel = 256;

// Compiler logs and crash evidence may hold any bytes; a line must be UTF-8.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const Bindings& tunables) {
  Json json = Json::object();
  for (const auto& [name, value] : tunables) json[name] = value;
  return json;
}

Json to_json(const EvaluateRequest& request) {
  Json subjects = Json::array();
  for (const Subject& subject : request.compare_with) {
    subjects.push_back(
        {{"name", subject.name}, {"source", subject.source}, {"tunables", to_json(subject.tunables)}});
  }
  return {{"type", "evaluate"},
          {"id", request.id},
          {"device", request.device},
          {"operator", request.operator_document},
          {"workload", request.workload},
          {"source", request.source},
          {"tunables", to_json(request.tunables)},
          {"last_gate", name(request.last_gate)},
          {"compare_with", std::move(subjects)},
          {"baselines", request.baselines},
          {"yardstick", request.yardstick},
          {"fresh_draws", request.fresh_draws},
          {"timing",
           {{"min_samples", request.timing.min_samples},
            {"max_samples", request.timing.max_samples},
            {"max_seconds", request.timing.max_seconds}}}};
}

Json to_json(const AdmitRequest& request) {
  return {{"type", "admit"},
          {"id", request.id},
          {"operator", request.operator_document},
          {"workload", request.workload}};
}

Json to_json(const Hello& hello) {
  Json devices = Json::array();
  for (const DeviceInfo& device : hello.devices) {
    devices.push_back(kevolve::to_json(device));
    devices.back()["traits"] = kevolve::to_json(device.traits());
  }
  Json json = {{"type", "hello"},
               {"protocol", hello.protocol},
               {"version", hello.version},
               {"devices", std::move(devices)}};
  if (hello.parallel != 1) json["parallel"] = hello.parallel;
  return json;
}

Json to_json(const EvaluationReply& reply) {
  return {{"type", "evaluation"}, {"id", reply.id}, {"evaluation", kevolve::to_json(reply.evaluation)}};
}

Json to_json(const AdmissionReply& reply) {
  return {{"type", "admission"}, {"id", reply.id}, {"admitted", reply.admitted}, {"reason", reply.reason}};
}

Json to_json(const ErrorReply& reply) {
  return {{"type", "error"}, {"id", reply.id}, {"message", reply.message}};
}

Result<Subject> subject_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  Subject subject;
  fields.read("name", subject.name);
  fields.read("source", subject.source);
  fields.maybe("tunables", subject.tunables);
  return fields.finish(std::move(subject));
}

Result<TimingSettings> timing_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  TimingSettings timing;
  fields.maybe("min_samples", timing.min_samples);
  fields.maybe("max_samples", timing.max_samples);
  fields.maybe("max_seconds", timing.max_seconds);
  if (!fields.failed() && (timing.min_samples < 1 || timing.max_samples < timing.min_samples)) {
    return failure(
        fmt::format("{}: min_samples {} and max_samples {}; expected 1 <= min_samples <= max_samples", where,
                    timing.min_samples, timing.max_samples));
  }
  if (!fields.failed() && !(timing.max_seconds > 0 && timing.max_seconds <= 86400)) {
    return failure(fmt::format("{}.max_seconds: found {}; expected a number above 0, at most 86400", where,
                               timing.max_seconds));
  }
  return fields.finish(timing);
}

Result<std::string> baseline_from_json(const Json& json, const std::string& where) {
  if (json.is_string()) return json.get<std::string>();
  return failure(
      fmt::format("{}: found {}; expected a baseline's name such as \"eager\"", where, json.dump()));
}

void read_document(FieldReader& fields, Json& target) {
  const Json* document = fields.required("operator");
  if (document == nullptr) return;
  if (!document->is_object())
    return fields.mismatch("operator", *document, "the operator's document, inline");
  target = *document;
}

Result<WorkerRequest> evaluate_from_json(FieldReader fields) {
  EvaluateRequest request;
  fields.read("id", request.id);
  fields.maybe("device", request.device);
  read_document(fields, request.operator_document);
  fields.read("workload", request.workload);
  fields.read("source", request.source);
  fields.maybe("tunables", request.tunables);
  if (fields.find("last_gate") != nullptr) {
    fields.name("last_gate", request.last_gate, gate_from_name, gate_list().c_str());
  }
  if (fields.find("compare_with") != nullptr)
    fields.list("compare_with", request.compare_with, subject_from_json);
  if (fields.find("baselines") != nullptr) {
    request.baselines.clear();
    fields.list("baselines", request.baselines, baseline_from_json);
  }
  fields.maybe("yardstick", request.yardstick);
  fields.maybe("fresh_draws", request.fresh_draws);
  if (const Json* timing = fields.find("timing")) {
    fields.take(timing_from_json(*timing, fields.at("timing")), request.timing);
  }
  return fields.finish<WorkerRequest>(std::move(request));
}

Result<WorkerRequest> admit_from_json(FieldReader fields) {
  AdmitRequest request;
  fields.read("id", request.id);
  read_document(fields, request.operator_document);
  fields.read("workload", request.workload);
  return fields.finish<WorkerRequest>(std::move(request));
}

Result<WorkerReply> hello_from_json(FieldReader fields) {
  Hello hello;
  fields.read("protocol", hello.protocol);
  fields.read("version", hello.version);
  fields.list("devices", hello.devices, [](const Json& json, const std::string& where) -> Result<DeviceInfo> {
    Result<DeviceInfo> device = device_from_json(json);
    if (!device) return failure(device.error().in(where));
    return device;
  });
  fields.maybe("parallel", hello.parallel);
  if (!fields.failed() && (hello.parallel < 1 || hello.parallel > kMostParallel)) {
    return failure(fmt::format("{}: found {}; expected a number from 1 to {}", fields.at("parallel"),
                               hello.parallel, kMostParallel));
  }
  return fields.finish<WorkerReply>(std::move(hello));
}

Result<WorkerReply> evaluation_reply_from_json(FieldReader fields) {
  EvaluationReply reply;
  fields.read("id", reply.id);
  if (const Json* evaluation = fields.required("evaluation")) {
    fields.take(evaluation_from_json(*evaluation), reply.evaluation);
  }
  return fields.finish<WorkerReply>(std::move(reply));
}

Result<WorkerReply> admission_from_json(FieldReader fields) {
  AdmissionReply reply;
  fields.read("id", reply.id);
  fields.read("admitted", reply.admitted);
  fields.read("reason", reply.reason);
  return fields.finish<WorkerReply>(std::move(reply));
}

Result<WorkerReply> error_from_json(FieldReader fields) {
  ErrorReply reply;
  fields.read("id", reply.id);
  fields.read("message", reply.message);
  return fields.finish<WorkerReply>(std::move(reply));
}

template <class Message>
using Decoder = Result<Message> (*)(FieldReader);

// Picks the decoder by the field "type".
template <class Message>
Result<Message> decode(std::string_view text, const std::string& where,
                       const std::map<std::string, Decoder<Message>>& decoders) {
  const Result<Json> json = parse_json(text, where);
  if (!json) return failure(json.error());
  FieldReader fields(*json, where);
  std::string type;
  fields.read("type", type);
  const auto decoder = decoders.find(type);
  if (!fields.failed() && decoder == decoders.end()) {
    Names known;
    for (const auto& [name, ignored] : decoders) known.insert(name);
    return failure(
        fmt::format("{}.type: unknown type '{}'{}", where, type, suggestion(type, known, "types")));
  }
  if (fields.failed()) return fields.finish(Message{});
  return decoder->second(std::move(fields));
}

}  // namespace

std::string to_line(const WorkerRequest& request) {
  return line(std::visit([](const auto& message) { return to_json(message); }, request));
}

std::string to_line(const WorkerReply& reply) {
  return line(std::visit([](const auto& message) { return to_json(message); }, reply));
}

Result<WorkerRequest> request_from_line(std::string_view line) {
  return decode<WorkerRequest>(line, "request",
                               {{"evaluate", evaluate_from_json}, {"admit", admit_from_json}});
}

Result<WorkerReply> reply_from_line(std::string_view line) {
  return decode<WorkerReply>(line, "reply",
                             {{"hello", hello_from_json},
                              {"evaluation", evaluation_reply_from_json},
                              {"admission", admission_from_json},
                              {"error", error_from_json}});
}

std::string id_in(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) return "";
  return json["id"].get<std::string>();
}

}  // namespace kevolve
