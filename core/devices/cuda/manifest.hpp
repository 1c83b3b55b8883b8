#pragma once
// Manifest: what one compiled candidate consists of: the file `manifest.json` of a cache entry, beside its
// cubins. It is what Binary::path of a cuda device names, and all that is needed to load the candidate. Plain
// data.

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/evaluation.hpp"

namespace kevolve::cuda {

struct CompiledKernel {
  std::string name;  ///< the launches' C++ name expression
  std::int64_t max_registers = 0;
  std::size_t cubin = 0;  ///< index into Manifest::cubins
  std::string symbol;     ///< the kernel's name inside the cubin
};

struct CubinFile {
  std::string file;  ///< in the manifest's folder
  std::int64_t size_bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string architecture, nvrtc;
  std::vector<CubinFile> cubins;
  std::vector<CompiledKernel> kernels;
  CompileReport report;
};

Json to_json(const Manifest& manifest);
Result<Manifest> manifest_from_json(const Json& json);
/// The error names the file.
Result<Manifest> read_manifest(const std::filesystem::path& file);

}  // namespace kevolve::cuda
