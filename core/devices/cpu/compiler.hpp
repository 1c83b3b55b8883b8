#pragma once
// Compiler: g++ in the sandbox, the precompiled SIMT header and the content-addressed cache of shared
// objects.
//
// The cache folder may be shared by processes: every file in it appears by an atomic rename and is never
// changed. Thread-safe; every call blocks for as long as g++ takes.

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::cpu {

struct CompilerSettings {
  std::string program = "g++";
  std::filesystem::path
      headers;  ///< root of rooted includes: the SIMT header is headers/core/devices/cpu/simt
  std::filesystem::path cache_folder;
};

struct CompileAttempt {
  enum class Kind { compiled, refused, timed_out, out_of_memory } kind = Kind::compiled;
  std::filesystem::path library;  ///< with `compiled`
  std::string output;             ///< g++'s messages, raw
  bool cached = false;
};

/// The flags that decide about arithmetic and speed: "-O3 -march=native …".
std::string arithmetic_flags();

class Compiler {
 public:
  /// Asks the compiler for its version and makes the cache folder.
  static Result<std::unique_ptr<Compiler>> open(const CompilerSettings& settings);

  [[nodiscard]] const std::string& version() const { return version_; }  ///< "g++ 12.2.0"
  /// `unit`: see translation_unit(). The first call also compiles the SIMT header, beyond the deadline.
  Result<CompileAttempt> compile(const std::string& unit, std::chrono::milliseconds deadline);
  /// Names under which candidates may include what stands beside the SIMT header: "cuda_fp16.h".
  [[nodiscard]] const std::set<std::string>& headers() const { return header_names_; }
  /// Folders whose names may stand in messages.
  [[nodiscard]] std::vector<std::string> own_paths() const;

 private:
  explicit Compiler(CompilerSettings settings) : settings_(std::move(settings)) {}
  [[nodiscard]] std::vector<std::string> base_command() const;
  [[nodiscard]] std::filesystem::path simt_folder() const {
    return settings_.headers / "core/devices/cpu/simt";
  }
  Result<std::string> header_key() const;
  Result<std::filesystem::path> precompiled_header();
  Result<void> build_precompiled_header(const std::filesystem::path& folder) const;
  Result<CompileAttempt> run(const std::string& unit, const std::filesystem::path& header,
                             const std::filesystem::path& library, std::chrono::milliseconds deadline) const;

  CompilerSettings settings_;
  std::set<std::string> header_names_;
  std::string version_, identity_;  ///< identity_: all that makes equal sources give different code
  std::mutex header_mutex_;
  std::filesystem::path header_;  ///< guarded by header_mutex_; empty until it is built
};

}  // namespace kevolve::cpu
