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

namespace kevolve {

class Program {
 public:
  /// `manifest`: Binary::path of a cuda device, its cubins beside it.
  static Result<Program> load(const Driver& driver, const std::filesystem::path& manifest);
  /// `cubins`: the files' bytes, parallel to Manifest::cubins; each is checked against its hash.
  static Result<Program> load(const Driver& driver, const Manifest& manifest,
                              const std::vector<std::string>& cubins);
  Program(Program&& other) noexcept
      : driver_(other.driver_), libraries_(std::move(other.libraries_)), kernels_(std::move(other.kernels_)) {
    other.libraries_.clear();
  }
  Program& operator=(Program&&) = delete;
  ~Program();

  /// By the launches' name expression and register limit; null when there is none.
  [[nodiscard]] CUfunction kernel(const std::string& name, std::int64_t max_registers = 0) const;

 private:
  explicit Program(const Driver& driver) : driver_(&driver) {}

  const Driver* driver_;
  std::vector<CUlibrary> libraries_;
  std::map<std::pair<std::string, std::int64_t>, CUfunction> kernels_;
};

}  // namespace kevolve
