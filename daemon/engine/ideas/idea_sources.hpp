#pragma once
// IdeaSources: the sources of ideas that a job names, and the news of their backends. The table in
// idea_sources.cpp lists the kinds. Belongs to the engine's thread.

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "core/model/job.hpp"
#include "daemon/engine/ideas/backend_news.hpp"
#include "daemon/engine/ideas/idea_source.hpp"
#include "llm_client/http/keys.hpp"

namespace kevolve::engine {

struct IdeaSources {
  BackendNews news;  ///< first: backends use it until their end
  /// In the order in which their shares are dealt and their ideas become rows.
  std::vector<std::unique_ptr<IdeaSource>> list;

  /// Null when the job does not use it (any more).
  [[nodiscard]] IdeaSource* named(std::string_view name) const;
  void stop(IdeaSource::Stop how);
};

/// The error that opening the job's sources would end in now, where that can be told without opening them. An
/// error is for the job's author: a model without a key or, under a budget in USD, without a price; a
/// recording that cannot be read. `taken`: keys, when they were taken from the environment before.
Result<void> check_idea_sources(const Job& job, const std::filesystem::path& default_models_file,
                                const llm::TakenKeys* taken = nullptr);

/// What `job` names. Errors: as above. With `taken` nullptr, keys are taken out of the environment now.
Result<std::unique_ptr<IdeaSources>> open_idea_sources(const Job& job,
                                                       const std::filesystem::path& default_models_file,
                                                       const llm::TakenKeys* taken = nullptr);

}  // namespace kevolve::engine
