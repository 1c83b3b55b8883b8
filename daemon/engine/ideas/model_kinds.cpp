#include "daemon/engine/ideas/model_kinds.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "daemon/engine/ideas/model_source.hpp"
#include "llm_client/http/http_backend.hpp"
#include "llm_client/manual_backend.hpp"
#include "llm_client/recording.hpp"

namespace kevolve::engine {
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

/// What every model needs beside its backend.
Result<void> check_record_and_prompts(const Opening& opening) {
  if (opening.job.record) {
    TRY_DO(check_record(*opening.job.record));
  }
  TRY_DO(llm::load_prompts(opening.job.prompts));
  return {};
}

/// The models of a source, with all that the models file says of them.
struct ModelSetup {
  llm::ModelsFile file;
  std::vector<llm::WeightedModel> models;
  std::set<std::string> endpoints;  ///< that they are at
};

/// An error: the file is wrong, has no such model, or, under a budget in USD, no price for one.
Result<ModelSetup> model_setup(const JobIdeaSource& settings, const Opening& opening) {
  ModelSetup setup;
  TRY(setup.file, llm::load_models(opening.models_file));
  for (const JobModel& model : settings.models) setup.models.push_back({model.name, model.weight});
  TRY(setup.endpoints, llm::endpoints_of(setup.file, setup.models));
  if (!opening.job.budget.usd) return setup;
  for (const JobModel& model : settings.models) {
    if (setup.file.models.at(model.name).price) continue;
    return failure(fmt::format(
        "budget.usd: the model '{}' has no price in {}, so its cost cannot be counted; give it one (0 for "
        "your own server), or limit budget.tokens instead",
        model.name, opening.models_file.string()));
  }
  return setup;
}

/// A model behind that backend. All that is asked of it is recorded where the job wants that.
template <class BackendPointer>
OpenedSource as_source(const JobIdeaSource& settings, Result<BackendPointer> opened, Opening& opening) {
  TRY(std::unique_ptr<llm::Backend> backend, std::move(opened));
  if (opening.job.record) {
    TRY(backend, llm::RecordingBackend::open(*opening.job.record, std::move(backend)));
  }
  if (opening.prompts == nullptr) {
    TRY(llm::PromptSet prompts, llm::load_prompts(opening.job.prompts));
    opening.prompts = std::make_shared<const llm::PromptSet>(std::move(prompts));
  }
  return std::make_unique<ModelSource>(Correspondent{settings.kind, std::move(backend)}, settings.weight,
                                       ++opening.models, opening.prompts);
}

}  // namespace

Result<void> check_llm(const JobIdeaSource& settings, const Opening& opening) {
  TRY(const ModelSetup setup, model_setup(settings, opening));
  TRY_DO(opening.taken == nullptr ? llm::read_keys(setup.file, setup.endpoints)
                                  : llm::look_up_keys(setup.file, setup.endpoints, *opening.taken));
  TRY_DO(llm::check_choice(setup.file, setup.models));
  return check_record_and_prompts(opening);
}

Result<void> check_manual(const JobIdeaSource& settings, const Opening& opening) {
  TRY_DO(check_folder(settings.folder));
  return check_record_and_prompts(opening);
}

Result<void> check_replay(const JobIdeaSource& settings, const Opening& opening) {
  TRY_DO(llm::load_recording(settings.file));
  return check_record_and_prompts(opening);
}

OpenedSource open_llm(const JobIdeaSource& settings, Opening& opening) {
  TRY(const ModelSetup setup, model_setup(settings, opening));
  TRY(const llm::KeyRing keys, opening.taken == nullptr
                                   ? llm::take_keys(setup.file, setup.endpoints)
                                   : llm::look_up_keys(setup.file, setup.endpoints, *opening.taken));
  return as_source(settings, llm::HttpBackend::open(setup.file, setup.models, keys, opening.news->events()),
                   opening);
}

OpenedSource open_manual(const JobIdeaSource& settings, Opening& opening) {
  return as_source(settings, llm::ManualBackend::open(settings.folder), opening);
}

OpenedSource open_replay(const JobIdeaSource& settings, Opening& opening) {
  return as_source(settings, llm::ReplayBackend::open(settings.file, opening.news->events()), opening);
}

}  // namespace kevolve::engine
