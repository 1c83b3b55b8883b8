#include "core/devices/cuda/manifest.hpp"

#include <exception>

namespace kevolve::cuda {

Json to_json(const Manifest& manifest) {
  Json cubins = Json::array(), kernels = Json::array();
  for (const auto& cubin : manifest.cubins)
    cubins.push_back({{"file", cubin.file}, {"size_bytes", cubin.size_bytes}, {"sha256", cubin.sha256}});
  for (const auto& kernel : manifest.kernels)
    kernels.push_back({{"name", kernel.name},
                       {"max_registers", kernel.max_registers},
                       {"cubin", kernel.cubin},
                       {"symbol", kernel.symbol}});
  return {{"architecture", manifest.architecture},
          {"nvrtc", manifest.nvrtc},
          {"cubins", cubins},
          {"kernels", kernels},
          {"binary_hash", manifest.report.binary_hash},
          {"binary_bytes", manifest.report.binary_bytes},
          {"log", manifest.report.log},
          {"resources", manifest.report.resources}};
}

Result<Manifest> manifest_from_json(const Json& json) try {
  Manifest manifest;
  manifest.architecture = json.at("architecture").get<std::string>();
  manifest.nvrtc = json.at("nvrtc").get<std::string>();
  for (const auto& cubin : json.at("cubins"))
    manifest.cubins.push_back({cubin.at("file").get<std::string>(),
                               cubin.at("size_bytes").get<std::int64_t>(),
                               cubin.at("sha256").get<std::string>()});
  for (const auto& kernel : json.at("kernels"))
    manifest.kernels.push_back(
        {kernel.at("name").get<std::string>(), kernel.at("max_registers").get<std::int64_t>(),
         kernel.at("cubin").get<std::size_t>(), kernel.at("symbol").get<std::string>()});
  manifest.report.binary_hash = json.at("binary_hash").get<std::string>();
  manifest.report.binary_bytes = json.at("binary_bytes").get<std::int64_t>();
  manifest.report.log = json.at("log").get<std::string>();
  manifest.report.resources = json.at("resources").get<std::map<std::string, std::int64_t>>();
  return manifest;
} catch (const std::exception& error) {
  return failure(std::string("the manifest is malformed: ") + error.what());
}

Result<Manifest> read_manifest(const std::filesystem::path& file) {
  const auto json = read_json_file(file);
  if (!json) return failure(json.error());
  auto manifest = manifest_from_json(*json);
  if (!manifest) return failure(manifest.error().in(file.string()));
  return manifest;
}

}  // namespace kevolve::cuda
