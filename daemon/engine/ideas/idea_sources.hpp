#pragma once
// Where a job's ideas come from: the playbook, and models behind backends. Plain ownership; the engine's
// thread uses it.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/model/job.hpp"
#include "core/search/playbook.hpp"
#include "llm_client/backend.hpp"
#include "llm_client/http/keys.hpp"
#include "llm_client/prompts/messages.hpp"

namespace kevolve {

/// News from backends, left by their threads for the engine's. Every function may be called from any thread.
class BackendNews {
 public:
  struct Item {
    enum class Kind { outage_began, outage_ended, noted } kind = Kind::noted;
    std::string endpoint, text;
  };
  /// Events that end up here. The news must outlive the backend.
  BackendEvents events();
  std::vector<Item> take();

 private:
  void add(Item item);
  std::mutex mutex_;
  std::vector<Item> items_;
};

/// A backend as a source of ideas.
struct ModelSource {
  std::string name;  ///< "llm", "manual", "replay"
  double weight = 1;
  std::unique_ptr<Backend> backend;
  int refusals = 0;             ///< in a row
  std::string out_of_use = {};  ///< why it is asked nothing more in this run; ""
};

struct IdeaSources {
  BackendNews news;            ///< first: backends use it
  double playbook_weight = 0;  ///< 0: the job does not use it
  Playbook playbook;
  std::vector<ModelSource> models;
  PromptSet prompts;
};

/// What `job` names. An error is for the job's author: a model without a key or, under a budget in USD,
/// without a price; a recording that cannot be read.
/// `taken`: keys from the environment, where that is not to be touched any more; nullptr: they are taken from
/// it now.
Result<std::unique_ptr<IdeaSources>> open_idea_sources(const Job& job,
                                                       const std::filesystem::path& default_models_file,
                                                       const TakenKeys* taken = nullptr);

}  // namespace kevolve
