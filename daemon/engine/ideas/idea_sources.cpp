#include "daemon/engine/ideas/idea_sources.hpp"

#include <algorithm>
#include <array>

#include "daemon/engine/ideas/model_kinds.hpp"
#include "daemon/engine/ideas/playbook_source.hpp"

namespace kevolve::engine {
namespace {

struct Kind {
  std::string_view name;
  int place;  ///< in which they are opened and listed; those of one place as in the job file
  Result<void> (*check)(const JobIdeaSource& settings, const Opening& opening);
  OpenedSource (*open)(const JobIdeaSource& settings, Opening& opening);
};

/// Every kind of source. `llm` opens before those that start threads: it takes keys out of the environment.
constexpr std::array<Kind, 4> kKinds = {{
    {"playbook", 0, check_playbook, open_playbook},
    {"llm", 1, check_llm, open_llm},
    {"manual", 2, check_manual, open_manual},
    {"replay", 2, check_replay, open_replay},
}};

/// The schema of job files allows these kinds only (config/schema/job.schema.json).
const Kind& kind_of(const JobIdeaSource& source) {
  return *std::find_if(kKinds.begin(), kKinds.end(),
                       [&](const Kind& kind) { return kind.name == source.kind; });
}

std::vector<JobIdeaSource> in_order(const Job& job) {
  std::vector<JobIdeaSource> sources = job.idea_sources;
  std::stable_sort(sources.begin(), sources.end(), [](const JobIdeaSource& a, const JobIdeaSource& b) {
    return kind_of(a).place < kind_of(b).place;
  });
  return sources;
}

}  // namespace

IdeaSource* IdeaSources::named(std::string_view name) const {
  for (const auto& source : list) {
    if (source->name() == name) return source.get();
  }
  return nullptr;
}

void IdeaSources::stop(IdeaSource::Stop how) {
  for (const auto& source : list) source->stop(how);
}

Result<void> check_idea_sources(const Job& job, const std::filesystem::path& default_models_file,
                                const llm::TakenKeys* taken) {
  const Opening opening{job, job.models.value_or(default_models_file), taken};
  for (const JobIdeaSource& settings : in_order(job)) {
    TRY_DO(kind_of(settings).check(settings, opening));
  }
  return {};
}

Result<std::unique_ptr<IdeaSources>> open_idea_sources(const Job& job,
                                                       const std::filesystem::path& default_models_file,
                                                       const llm::TakenKeys* taken) {
  auto sources = std::make_unique<IdeaSources>();
  Opening opening{job, job.models.value_or(default_models_file), taken, &sources->news};
  for (const JobIdeaSource& settings : in_order(job)) {
    TRY(std::unique_ptr<IdeaSource> source, kind_of(settings).open(settings, opening));
    sources->list.push_back(std::move(source));
  }
  return sources;
}

}  // namespace kevolve::engine
