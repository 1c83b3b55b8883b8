#include "core/devices/cuda/program.hpp"

#include <fmt/format.h>

#include "core/devices/cuda/cubin.hpp"
#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cuda {

Result<Program> Program::load(const Driver& driver, const std::filesystem::path& manifest) {
  const auto parsed = read_manifest(manifest);
  if (!parsed) return failure(parsed.error());
  std::vector<std::string> cubins;
  for (const CubinFile& cubin : parsed->cubins) {
    auto bytes = read_text_file(manifest.parent_path() / cubin.file);
    if (!bytes) return failure(bytes.error());
    cubins.push_back(std::move(*bytes));
  }
  return load(driver, *parsed, cubins);
}

Result<Program> Program::load(const Driver& driver, const Manifest& manifest,
                              const std::vector<std::string>& cubins) {
  Program program(driver);
  if (cubins.size() != manifest.cubins.size())
    return failure(
        fmt::format("the manifest names {} cubins, {} are there", manifest.cubins.size(), cubins.size()));
  for (std::size_t i = 0; i < cubins.size(); ++i) {
    if (sha256_hex(cubins[i]) != manifest.cubins[i].sha256)
      return failure(
          fmt::format("cubin {} does not match the hash in its manifest", manifest.cubins[i].file));
    CUlibrary library = nullptr;
    auto loaded = driver.check(
        driver.cuLibraryLoadData_(&library, cubins[i].data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        "loading " + manifest.cubins[i].file);
    if (!loaded) return failure(loaded.error());
    program.libraries_.push_back(library);
    program.remember_tables(library);
  }
  for (const CompiledKernel& kernel : manifest.kernels) {
    if (kernel.cubin >= program.libraries_.size())
      return failure(fmt::format("kernel '{}' names a cubin that is not there", kernel.name));
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

void Program::remember_tables(CUlibrary library) {
  for (const char* name : library_table_names()) {
    Table table;
    std::size_t bytes = 0;
    if (driver_->cuLibraryGetGlobal_(&table.at, &bytes, library, name) != CUDA_SUCCESS) continue;
    table.content.resize(bytes);
    if (driver_->cuMemcpyDtoH_(table.content.data(), table.at, bytes) == CUDA_SUCCESS)
      tables_.push_back(std::move(table));
  }
}

bool Program::tables_intact() const {
  for (const Table& table : tables_) {
    std::vector<char> now(table.content.size());
    if (driver_->cuMemcpyDtoH_(now.data(), table.at, now.size()) != CUDA_SUCCESS || now != table.content)
      return false;
  }
  return true;
}

Program::~Program() {
  for (CUlibrary library : libraries_) driver_->cuLibraryUnload_(library);
}

CUfunction Program::kernel(const std::string& name, std::int64_t max_registers) const {
  const auto found = kernels_.find({name, max_registers});
  return found == kernels_.end() ? nullptr : found->second;
}

}  // namespace kevolve::cuda
