#include "daemon/engine/ideas/source_checks.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "llm_client/prompts/messages.hpp"
#include "llm_client/recording.hpp"

namespace kevolve {
namespace {

namespace fs = std::filesystem;

/// 0, or the errno that making something in `folder` would end in.
int unwritable(const fs::path& folder) {
  std::error_code error;
  const fs::path place = folder.empty() ? fs::path(".") : folder;
  if (fs::exists(place, error) && !fs::is_directory(place, error)) return ENOTDIR;
  return ::access(place.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

/// As ManualBackend::open() makes the folder, with all that are missing above it.
Result<void> check_folder(const fs::path& folder) {
  std::error_code error;
  fs::path present = folder;
  while (!present.empty() && !fs::exists(present, error)) present = present.parent_path();
  const int wrong = present == folder && fs::is_directory(folder, error) ? 0 : unwritable(present);
  if (wrong == 0) return {};
  return failure(
      fmt::format("cannot create the folder for prompts, {}: {}", folder.string(), std::strerror(wrong)));
}

/// As RecordingBackend::open() opens the file to append to it.
Result<void> check_record(const fs::path& file) {
  std::error_code error;
  int wrong = 0;
  if (fs::is_directory(file, error)) {
    wrong = EISDIR;
  } else if (fs::exists(file, error)) {
    wrong = ::access(file.c_str(), W_OK) == 0 ? 0 : errno;
  } else {
    wrong = unwritable(file.parent_path());
  }
  if (wrong == 0) return {};
  return failure(fmt::format("cannot open {} to record exchanges: {}", file.string(), std::strerror(wrong)));
}

Result<void> check_llm(const Job& job, const JobIdeaSource& source, const fs::path& default_models_file,
                       const TakenKeys* taken) {
  TRY(const ModelSetup setup, model_setup(job, source, default_models_file));
  TRY_DO(taken == nullptr ? read_keys(setup.file, setup.endpoints)
                          : look_up_keys(setup.file, setup.endpoints, *taken));
  return check_choice(setup.file, setup.models);
}

Result<void> check_source(const Job& job, const JobIdeaSource& source, const fs::path& default_models_file,
                          const TakenKeys* taken) {
  if (source.kind == "llm") return check_llm(job, source, default_models_file, taken);
  if (source.kind == "manual") return check_folder(source.folder);
  TRY_DO(load_recording(source.file));
  return {};
}

}  // namespace

Result<ModelSetup> model_setup(const Job& job, const JobIdeaSource& source,
                               const fs::path& default_models_file) {
  const fs::path name = job.models.value_or(default_models_file);
  ModelSetup setup;
  TRY(setup.file, load_models(name));
  for (const JobModel& model : source.models) setup.models.push_back({model.name, model.weight});
  TRY(setup.endpoints, endpoints_of(setup.file, setup.models));
  for (const JobModel& model : source.models) {
    if (job.budget.usd && !setup.file.models.at(model.name).price) {
      return failure(fmt::format(
          "budget.usd: the model '{}' has no price in {}, so what it costs cannot be counted; give it one "
          "(0 for a server of your own), or limit budget.tokens instead",
          model.name, name.string()));
    }
  }
  return setup;
}

Result<void> check_idea_sources(const Job& job, const fs::path& default_models_file, const TakenKeys* taken) {
  std::vector<JobIdeaSource> in_order = job.idea_sources;  // as they are opened: the first error is the same
  std::stable_partition(in_order.begin(), in_order.end(),
                        [](const JobIdeaSource& source) { return source.kind == "llm"; });
  bool asks = false;
  for (const JobIdeaSource& source : in_order) {
    if (source.kind == "playbook") continue;
    asks = true;
    TRY_DO(check_source(job, source, default_models_file, taken));
    if (job.record) TRY_DO(check_record(*job.record));
  }
  if (asks) TRY_DO(load_prompts(job.prompts));
  return {};
}

}  // namespace kevolve
