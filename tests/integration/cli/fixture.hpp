#pragma once
// Runs the programs themselves, as a user would, in a folder of their own.

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/process/command.hpp"
#include "core/text/json.hpp"
#include "tests/catch.hpp"

namespace kevolve::testing {

/// A folder that is removed at the end of a test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "kevolve-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline const std::string kProgram = KEVOLVE_BIN_DIR "/kevolve";

inline process::CommandResult shell(const std::string& script) {
  process::CommandLimits limits;
  limits.deadline = std::chrono::minutes(9);
  const auto result = process::run_command({"bash", "-c", script}, "", limits);
  if (!result) FAIL(result.error().message);
  INFO(script << "\n" << result->out << result->err);
  CHECK_FALSE(result->timed_out);
  return *result;
}

inline process::CommandResult kevolve(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {kProgram};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  process::CommandLimits limits;
  limits.deadline = std::chrono::minutes(9);
  const auto result = process::run_command(argv, "", limits);
  if (!result) FAIL(result.error().message);
  CHECK_FALSE(result->timed_out);
  return *result;
}

/// One quick operator, one round.
inline std::string small_job(const std::string& name = "small", int rounds = 1) {
  return fmt::format(
      R"({{ "name": "{}", "operators": ["gelu"], "policy": {{ "rounds": {}, "ideas_per_round": 2,
        "implementations_per_idea": 2 }}, "timing": {{ "min_samples": 3, "max_samples": 5, "max_seconds": 0.5 }} }})",
      name, rounds);
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace kevolve::testing
