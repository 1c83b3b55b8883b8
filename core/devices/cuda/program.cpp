#include "core/devices/cuda/program.hpp"

#include <fmt/format.h>

#include "core/model/candidate.hpp"

namespace kevolve {

Result<Program> Program::load(const Driver& driver, const std::filesystem::path& manifest) {
  const auto text = read_text_file(manifest);
  if (!text) return failure(text.error());
  const auto json = parse_json(*text, manifest.string());
  if (!json) return failure(json.error());
  const auto parsed = manifest_from_json(*json);
  if (!parsed) return failure(parsed.error().in(manifest.string()));
  Program program(driver);
  for (const CubinFile& cubin : parsed->cubins) {
    const auto bytes = read_text_file(manifest.parent_path() / cubin.file);
    if (!bytes) return failure(bytes.error());
    if (sha256_hex(*bytes) != cubin.sha256)
      return failure(
          fmt::format("'{}' does not match the hash in its manifest; remove its folder from the cache",
                      (manifest.parent_path() / cubin.file).string()));
    CUlibrary library = nullptr;
    auto loaded = driver.check(
        driver.cuLibraryLoadData_(&library, bytes->data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        "loading " + cubin.file);
    if (!loaded) return failure(loaded.error());
    program.libraries_.push_back(library);
  }
  for (const CompiledKernel& kernel : parsed->kernels) {
    if (kernel.cubin >= program.libraries_.size())
      return failure(
          fmt::format("'{}': kernel '{}' names a cubin that is not there", manifest.string(), kernel.name));
    CUkernel handle = nullptr;
    CUfunction function = nullptr;
    auto found = driver.check(
        driver.cuLibraryGetKernel_(&handle, program.libraries_[kernel.cubin], kernel.symbol.c_str()),
        "finding kernel " + kernel.name);
    if (found)
      found = driver.check(driver.cuKernelGetFunction_(&function, handle), "loading kernel " + kernel.name);
    if (!found) return failure(found.error());
    program.kernels_[{kernel.name, kernel.max_registers}] = function;
  }
  return program;
}

Program::~Program() {
  for (CUlibrary library : libraries_) driver_->cuLibraryUnload_(library);
}

CUfunction Program::kernel(const std::string& name, std::int64_t max_registers) const {
  const auto found = kernels_.find({name, max_registers});
  return found == kernels_.end() ? nullptr : found->second;
}

}  // namespace kevolve
