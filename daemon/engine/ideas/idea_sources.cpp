#include "daemon/engine/ideas/idea_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/engine/ideas/source_checks.hpp"
#include "llm_client/http/http_backend.hpp"
#include "llm_client/manual_backend.hpp"
#include "llm_client/recording.hpp"

namespace kevolve {
namespace {

std::string in_seconds(std::chrono::milliseconds duration) {
  return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1000);
}

template <class BackendPointer>
Result<std::unique_ptr<Backend>> as_backend(Result<BackendPointer> opened) {
  if (!opened) return failure(opened.error());
  return std::unique_ptr<Backend>(std::move(*opened));
}

Result<std::unique_ptr<Backend>> open_http(const Job& job, const JobIdeaSource& source,
                                           const std::filesystem::path& default_models_file,
                                           const TakenKeys* taken, BackendNews& news) {
  TRY(const ModelSetup setup, model_setup(job, source, default_models_file));
  TRY(const KeyRing keys, taken == nullptr ? take_keys(setup.file, setup.endpoints)
                                           : look_up_keys(setup.file, setup.endpoints, *taken));
  return as_backend(HttpBackend::open(setup.file, setup.models, keys, news.events()));
}

Result<std::unique_ptr<Backend>> open_backend(const Job& job, const JobIdeaSource& source,
                                              const std::filesystem::path& default_models_file,
                                              const TakenKeys* taken, BackendNews& news) {
  if (source.kind == "llm") return open_http(job, source, default_models_file, taken, news);
  if (source.kind == "manual") return as_backend(ManualBackend::open(source.folder));
  return as_backend(ReplayBackend::open(source.file, news.events()));
}

}  // namespace

BackendEvents BackendNews::events() {
  using Kind = Item::Kind;
  BackendEvents events;
  events.outage_began = [this](std::string_view endpoint, std::string_view why) {
    add({Kind::outage_began, std::string(endpoint), std::string(why)});
  };
  events.outage_ended = [this](std::string_view endpoint, std::chrono::milliseconds lasted) {
    add({Kind::outage_ended, std::string(endpoint), in_seconds(lasted)});
  };
  events.noted = [this](std::string_view what) { add({Kind::noted, "", std::string(what)}); };
  return events;
}

void BackendNews::add(Item item) {
  const std::lock_guard lock(mutex_);
  items_.push_back(std::move(item));
}

std::vector<BackendNews::Item> BackendNews::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(items_, {});
}

Result<std::unique_ptr<IdeaSources>> open_idea_sources(const Job& job,
                                                       const std::filesystem::path& default_models_file,
                                                       const TakenKeys* taken) {
  auto sources = std::make_unique<IdeaSources>();
  std::vector<JobIdeaSource> in_order = job.idea_sources;
  // Keys leave the environment before any backend starts a thread.
  std::stable_partition(in_order.begin(), in_order.end(),
                        [](const JobIdeaSource& source) { return source.kind == "llm"; });
  for (const JobIdeaSource& source : in_order) {
    if (source.kind == "playbook") {
      sources->playbook_weight = source.weight;
      continue;
    }
    Result<std::unique_ptr<Backend>> backend =
        open_backend(job, source, default_models_file, taken, sources->news);
    if (!backend) return failure(backend.error());
    if (job.record) {
      backend = as_backend(RecordingBackend::open(*job.record, std::move(*backend)));
      if (!backend) return failure(backend.error());
    }
    sources->models.push_back({source.kind, source.weight, std::move(*backend)});
  }
  if (!sources->models.empty()) {
    Result<PromptSet> prompts = load_prompts(job.prompts);
    if (!prompts) return failure(prompts.error());
    sources->prompts = std::move(*prompts);
  }
  return sources;
}

}  // namespace kevolve
