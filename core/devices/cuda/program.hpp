#pragma once
// Program: a compiled Binary (a manifest and its cubins) loaded into the current context. Used by the runner
// for candidates and by the judge for kernels of its own.
//
// Owns what it loaded; destruction unloads. One thread, the one whose context was current at load().

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/devices/cuda/driver.hpp"
#include "core/devices/cuda/manifest.hpp"

namespace kevolve::cuda {

class Program {
 public:
  /// `manifest`: Binary::path of a cuda device, its cubins beside it.
  static Result<Program> load(const Driver& driver, const std::filesystem::path& manifest);
  /// `cubins`: the files' bytes, parallel to Manifest::cubins; each is checked against its hash.
  static Result<Program> load(const Driver& driver, const Manifest& manifest,
                              const std::vector<std::string>& cubins);
  Program(Program&& other) noexcept
      : driver_(other.driver_),
        libraries_(std::move(other.libraries_)),
        kernels_(std::move(other.kernels_)),
        tables_(std::move(other.tables_)) {
    other.libraries_.clear();
  }
  Program& operator=(Program&&) = delete;
  ~Program();

  /// By the launches' name expression and register limit; null when there is none.
  [[nodiscard]] CUfunction kernel(const std::string& name, std::int64_t max_registers = 0) const;

  /// False once somebody has written to a table of CUDA's mathematics, the only writable globals that a
  /// binary may hold: an answer could be kept there. At once true for programs without any. Waits for the
  /// GPU.
  [[nodiscard]] bool tables_intact() const;

 private:
  struct Table {
    CUdeviceptr at = 0;
    std::vector<char> content;
  };

  explicit Program(const Driver& driver) : driver_(&driver) {}
  void remember_tables(CUlibrary library);

  const Driver* driver_;
  std::vector<CUlibrary> libraries_;
  std::map<std::pair<std::string, std::int64_t>, CUfunction> kernels_;
  std::vector<Table> tables_;
};

}  // namespace kevolve::cuda
