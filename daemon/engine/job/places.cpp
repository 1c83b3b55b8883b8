#include "daemon/engine/job/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/process/places.hpp"
#include "core/text/names.hpp"
#include "core/text/schema.hpp"

namespace kevolve::engine {
namespace fs = std::filesystem;
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

fs::path program_beside(const std::string& name) {
  return process::program_folder() / name;
}

Result<fs::path> seeds_folder() {
  if (const std::string named = variable("KEVOLVE_SEEDS"); !named.empty()) {
    if (fs::is_directory(named)) return fs::path(named);
    return failure(fmt::format("KEVOLVE_SEEDS names '{}', which is not a folder", named));
  }
  const fs::path programs = process::program_folder();
  const std::vector<fs::path> places = {programs / "../share/kevolve/kernels/seed",
                                        programs / "../../kernels/seed"};
  for (const fs::path& place : places) {
    if (fs::is_directory(place)) return fs::canonical(place);
  }
  return failure(
      fmt::format("no folder of seed operators: looked for {} and {}; set KEVOLVE_SEEDS to the folder "
                  "kernels/seed of the source tree",
                  places[0].lexically_normal().string(), places[1].lexically_normal().string()));
}

fs::path default_models_file() {
  const fs::path programs = process::program_folder();
  const fs::path installed = programs / "../share/kevolve/config/models.json";
  return (fs::exists(installed) ? installed : programs / "../../config/models.json").lexically_normal();
}

Result<std::vector<std::string>> operator_names() {
  TRY(const fs::path seeds, seeds_folder());
  std::vector<std::string> names;
  for (const auto& folder : fs::directory_iterator(seeds)) {
    if (fs::exists(folder.path() / "operator.json")) names.push_back(folder.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Operator> find_operator(const std::string& name_or_folder) {
  if (name_or_folder.find('/') != std::string::npos) return load_operator(name_or_folder);
  TRY(const std::vector<std::string> names, operator_names());
  if (std::find(names.begin(), names.end(), name_or_folder) != names.end()) {
    return load_operator(*seeds_folder() / name_or_folder);
  }
  const std::string close = nearest(name_or_folder, names);
  return failure(
      fmt::format("there is no operator '{}'{}; known operators: {} (a folder with an operator.json may be "
                  "named by its path)",
                  name_or_folder, close.empty() ? "" : fmt::format("; did you mean '{}'?", close),
                  fmt::join(names, ", ")));
}

fs::path default_archive() {
  if (const std::string named = variable("KEVOLVE_ARCHIVE"); !named.empty()) return named;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty())
    return fs::path(data) / "kevolve/archive.db";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".local/share/kevolve/archive.db";
  return "kevolve.db";
}

}  // namespace kevolve::engine
