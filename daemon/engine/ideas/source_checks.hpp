#pragma once
// What can be said of a job's idea sources before they are opened. Reads files and environment; makes no file
// and no folder, starts no thread, and leaves keys where they are.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/model/job.hpp"
#include "llm_client/http/http_backend.hpp"

namespace kevolve {

/// The models of a source, with all that the models file says of them.
struct ModelSetup {
  ModelsFile file;
  std::vector<WeightedModel> models;
  std::set<std::string> endpoints;  ///< that they are at
};

/// An error: the file is wrong, has no such model, or, under a budget in USD, no price for one.
Result<ModelSetup> model_setup(const Job& job, const JobIdeaSource& source,
                               const std::filesystem::path& default_models_file);

/// The error that opening the sources would end in now, where that can be told without opening them. An error
/// is for the job's author. `taken`: keys from the environment, where that is not to be touched any more;
/// nullptr: keys are still there.
Result<void> check_idea_sources(const Job& job, const std::filesystem::path& default_models_file,
                                const TakenKeys* taken = nullptr);

}  // namespace kevolve
