#include "core/devices/cuda/compile_job.hpp"

#include <exception>

namespace kevolve::cuda {
namespace {

Json strings(const std::vector<std::filesystem::path>& paths) {
  Json json = Json::array();
  for (const auto& path : paths) json.push_back(path.string());
  return json;
}

std::vector<std::filesystem::path> paths(const Json& json) {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : json) result.emplace_back(entry.get<std::string>());
  return result;
}

std::string_view name(CompileAnswer::Status status) {
  switch (status) {
    case CompileAnswer::Status::compiled:
      return "compiled";
    case CompileAnswer::Status::rejected:
      return "rejected";
    case CompileAnswer::Status::failed:
      break;
  }
  return "failed";
}

CompileAnswer::Status status_from(const std::string& text) {
  if (text == "compiled") return CompileAnswer::Status::compiled;
  if (text == "rejected") return CompileAnswer::Status::rejected;
  return CompileAnswer::Status::failed;
}

}  // namespace

const std::vector<std::string>& fixed_compile_options() {
  static const std::vector<std::string> options{
      "--std=c++20", "-default-device", "--ptxas-options=-v", "--modify-stack-limit=false",
      // assert() would bring in __assertfail and its strings, which are writable data.
      "-DNDEBUG", "--pre-include=kevolve_prelude.h"};
  return options;
}

std::string cubin_name(std::size_t group) {
  return std::to_string(group) + ".cubin";
}

Json to_json(const CompileJob& job) {
  Json groups = Json::array();
  for (const auto& group : job.groups)
    groups.push_back({{"max_registers", group.max_registers}, {"kernels", group.kernels}});
  Json macros = Json::array();
  for (const auto& [macro, value] : job.macros) macros.push_back(Json::array({macro, value}));
  return {{"library", job.library.string()},
          {"companions", strings(job.companions)},
          {"include_folders", strings(job.include_folders)},
          {"architecture", job.architecture},
          {"source", job.source},
          {"macros", macros},
          {"groups", groups},
          {"output", job.output.string()}};
}

Json to_json(const CompileAnswer& answer) {
  Json groups = Json::array();
  for (const auto& group : answer.groups)
    groups.push_back({{"log", group.log},
                      {"lowered", group.lowered},
                      {"unreferenced", group.unreferenced},
                      {"tensor_cores", group.tensor_cores}});
  return {{"status", name(answer.status)},
          {"message", answer.message},
          {"version", answer.version},
          {"architectures", answer.architectures},
          {"groups", groups}};
}

Result<CompileJob> compile_job_from_json(const Json& json) try {
  CompileJob job;
  job.library = json.at("library").get<std::string>();
  job.companions = paths(json.at("companions"));
  job.include_folders = paths(json.at("include_folders"));
  job.architecture = json.at("architecture").get<std::string>();
  job.source = json.at("source").get<std::string>();
  for (const auto& macro : json.at("macros"))
    job.macros.emplace_back(macro.at(0).get<std::string>(), macro.at(1).get<std::string>());
  for (const auto& group : json.at("groups"))
    job.groups.push_back(
        {group.at("max_registers").get<std::int64_t>(), group.at("kernels").get<std::vector<std::string>>()});
  job.output = json.at("output").get<std::string>();
  return job;
} catch (const std::exception& error) {
  return failure(std::string("the compile job is malformed: ") + error.what());
}

Result<CompileAnswer> compile_answer_from_json(const Json& json) try {
  CompileAnswer answer;
  answer.status = status_from(json.at("status").get<std::string>());
  answer.message = json.at("message").get<std::string>();
  answer.version = json.at("version").get<std::string>();
  answer.architectures = json.at("architectures").get<std::vector<int>>();
  for (const auto& group : json.at("groups"))
    answer.groups.push_back({group.at("log").get<std::string>(),
                             group.at("lowered").get<std::map<std::string, std::string>>(),
                             group.at("unreferenced").get<std::vector<std::string>>(),
                             group.at("tensor_cores").get<std::map<std::string, std::int64_t>>()});
  return answer;
} catch (const std::exception& error) {
  return failure(std::string("the answer of kevolve-nvrtc is malformed: ") + error.what());
}

}  // namespace kevolve::cuda
