#pragma once
// Opening: what the kinds of idea sources are checked and opened with. Plain data.

#include <filesystem>
#include <memory>

#include "core/model/job.hpp"
#include "daemon/engine/ideas/backend_news.hpp"
#include "daemon/engine/ideas/idea_source.hpp"
#include "llm_client/http/keys.hpp"
#include "llm_client/prompts/messages.hpp"

namespace kevolve::engine {

struct Opening {
  const Job& job;
  const std::filesystem::path models_file;             ///< of the job, or the default one
  const llm::TakenKeys* taken = nullptr;               ///< keys; nullptr: they are still in the environment
  BackendNews* news = nullptr;                         ///< nullptr: nothing is opened, only checked
  std::shared_ptr<const llm::PromptSet> prompts = {};  ///< loaded when the first model needs them
  int models = 0;                                      ///< sources that are models, so far
};

using OpenedSource = Result<std::unique_ptr<IdeaSource>>;

}  // namespace kevolve::engine
