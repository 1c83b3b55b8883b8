#include "core/search/playbook.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/subjects.hpp"
#include "core/search/regime.hpp"
#include "core/search/tunables.hpp"
#include "core/text/words.hpp"

namespace kevolve::search {
namespace {

constexpr std::string_view kTunePrefix = "tune:";

std::vector<std::string> strings(const Json& object, const char* key) {
  return object.contains(key) ? object.at(key).get<std::vector<std::string>>() : std::vector<std::string>{};
}

Result<PlaybookEntry> load_entry(const Operator& op, const std::filesystem::path& file) {
  Result<std::string> source = read_text_file(file);
  if (!source) return failure(source.error());
  Result<CandidateHeader> header = parse_candidate(*source, op, file.string());
  if (!header) return failure(header.error());
  PlaybookEntry entry{file.stem().string(), std::move(*source), std::move(*header), {}, {}, {}};
  if (entry.header.playbook) {
    entry.regimes = strings(*entry.header.playbook, "regimes");
    entry.combines = strings(*entry.header.playbook, "combines");
    entry.requirements = strings(*entry.header.playbook, "requires");
  }
  return entry;
}

const PlaybookEntry* find_entry(const std::vector<PlaybookEntry>& entries, std::string_view key) {
  const auto it = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.key == key; });
  return it == entries.end() ? nullptr : &*it;
}

/// "tune:split_rows" and "split_rows" are both carried out by entry "split_rows".
std::string_view entry_key(std::string_view idea_key) {
  return idea_key.starts_with(kTunePrefix) ? idea_key.substr(kTunePrefix.size()) : idea_key;
}

const LedgerEntry* in_ledger(const RoundContext& context, std::string_view key) {
  const auto it = std::find_if(context.ledger.begin(), context.ledger.end(),
                               [&](const LedgerEntry& e) { return e.idea_key == key; });
  return it == context.ledger.end() ? nullptr : &*it;
}

bool untried(const PlaybookEntry& entry, const RoundContext& context, const Bindings& choice) {
  return !context.tried.contains(candidate_hash(entry.source, choice));
}

bool runs_here(const PlaybookEntry& entry, const RoundContext& context) {
  return !context.device.traits().on_host || entry.requirements.empty();
}

bool parts_have_passed(const PlaybookEntry& entry, const RoundContext& context) {
  return std::all_of(entry.combines.begin(), entry.combines.end(), [&](const std::string& part) {
    const LedgerEntry* tried = in_ledger(context, part);
    return tried != nullptr && tried->passed > 0;
  });
}

std::vector<const Survivor*> survivors_of(const PlaybookEntry& entry, const RoundContext& context) {
  std::vector<const Survivor*> found;
  for (const Survivor& survivor : context.survivors) {
    if (entry_key(survivor.idea_key) == entry.key) found.push_back(&survivor);
  }
  return found;
}

/// Higher is tried first: merging what works, then what suits the regime, then the rest.
int priority(const PlaybookEntry& entry, Regime regime) {
  if (!entry.combines.empty()) return 2;
  const bool suited = entry.regimes.empty() || std::any_of(entry.regimes.begin(), entry.regimes.end(),
                                                           [&](const auto& r) { return suits(r, regime); });
  return suited ? 1 : 0;
}

std::vector<Idea> fresh_ideas(const std::vector<PlaybookEntry>& entries, const RoundContext& context,
                              Random& random) {
  std::vector<const PlaybookEntry*> eligible;
  for (const PlaybookEntry& entry : entries) {
    if (runs_here(entry, context) && in_ledger(context, entry.key) == nullptr &&
        parts_have_passed(entry, context)) {
      eligible.push_back(&entry);
    }
  }
  random.shuffle(eligible);
  const Regime regime = regime_of(context.champion_profile, infer_regime(context));
  std::stable_sort(eligible.begin(), eligible.end(),
                   [&](const auto* a, const auto* b) { return priority(*a, regime) > priority(*b, regime); });
  std::vector<Idea> ideas;
  for (const PlaybookEntry* entry : eligible) {
    ideas.push_back({"playbook", entry->key, entry->header.idea, entry->combines});
  }
  return ideas;
}

/// What is left to try around the best settings of an entry, nearest first.
std::vector<Implementation> tuned(const PlaybookEntry& entry, const Operator& op, const RoundContext& context,
                                  Random& random, std::size_t count) {
  std::vector<Implementation> found;
  const std::vector<const Survivor*> parents = survivors_of(entry, context);
  const Workload* workload = op.workload(context.workload);
  if (parents.empty() || workload == nullptr || entry.header.tunables.empty()) return found;
  const TunableSpace space(entry.header, op, workload->axes, context.limits);
  const auto add = [&](const Bindings& choice, std::vector<Parent> from) {
    const bool known =
        std::any_of(found.begin(), found.end(), [&](const auto& f) { return f.tunables == choice; });
    if (found.size() < count && !known && untried(entry, context, choice)) {
      found.push_back({entry.source, choice, std::move(from)});
    }
  };
  const Survivor& best = *parents.front();
  std::vector<Bindings> near = space.neighbours(best.tunables);
  random.shuffle(near);
  const std::size_t crossed_from = count - count / 4;
  for (const Bindings& choice : near) {
    if (found.size() < crossed_from) add(choice, {{best.candidate_hash, Relation::mutates_tunables_of}});
  }
  if (parents.size() > 1) {
    const Survivor& second = *parents[1];
    for (const Bindings& choice : space.crossovers(best.tunables, second.tunables, random)) {
      add(choice, {{best.candidate_hash, Relation::crosses_tunables_of},
                   {second.candidate_hash, Relation::crosses_tunables_of}});
    }
  }
  for (const Bindings& choice : near) add(choice, {{best.candidate_hash, Relation::mutates_tunables_of}});
  const auto skip = [&](const Bindings& choice) { return !untried(entry, context, choice); };
  for (const Bindings& choice : space.sample(count, random, skip)) {
    add(choice, {{best.candidate_hash, Relation::mutates_tunables_of}});
  }
  return found;
}

std::vector<Idea> tuning_ideas(const std::vector<PlaybookEntry>& entries, const RoundContext& context,
                               Random& random) {
  std::vector<Idea> ideas;
  for (const Survivor& survivor : context.survivors) {
    const PlaybookEntry* entry = find_entry(entries, entry_key(survivor.idea_key));
    if (entry == nullptr || tuned(*entry, *context.op, context, random, 1).empty()) continue;
    const std::string key = std::string(kTunePrefix) + entry->key;
    const bool known = std::any_of(ideas.begin(), ideas.end(), [&](const Idea& i) { return i.key == key; });
    if (known) continue;
    ideas.push_back(
        {"playbook",
         key,
         fmt::format("Keep the idea '{}', so far {:.2f} times as fast as {}, and move its parameters away "
                     "from {}: one step at a time, then towards its second-best setting.",
                     entry->key, survivor.speedup,
                     context.yardstick == subjects::kEager ? "PyTorch" : "the naive kernel",
                     in_equations(survivor.tunables)),
         {entry->key}});
  }
  return ideas;
}

}  // namespace

Result<std::vector<PlaybookEntry>> load_playbook(const Operator& op) {
  TRY(const auto files, op.candidate_files());
  std::vector<PlaybookEntry> entries;
  for (const auto& file : files) {
    if (file.stem() == subjects::kNaive) continue;
    Result<PlaybookEntry> entry = load_entry(op, file);
    if (!entry) return failure(entry.error());
    entries.push_back(std::move(*entry));
  }
  for (const PlaybookEntry& entry : entries) {
    for (const std::string& part : entry.combines) {
      if (find_entry(entries, part) == nullptr) {
        return failure(fmt::format("{}/{}.cu: playbook.combines names '{}', but there is no {}.cu beside it",
                                   op.folder.string(), entry.key, part, part));
      }
    }
  }
  return entries;
}

std::vector<Idea> propose_ideas(const std::vector<PlaybookEntry>& entries, const RoundContext& context,
                                int count) {
  if (count <= 0) return {};
  Random random(derive_seed(context.seed, "propose"));
  std::vector<Idea> fresh = fresh_ideas(entries, context, random);
  const std::vector<Idea> tuning = tuning_ideas(entries, context, random);
  const auto wanted = static_cast<std::size_t>(count);
  const std::size_t reserved = tuning.empty() || wanted == 1 ? 0 : 1;
  if (fresh.size() > wanted - reserved) fresh.resize(wanted - reserved);
  for (const Idea& idea : tuning) {
    if (fresh.size() < wanted) fresh.push_back(idea);
  }
  return fresh;
}

std::vector<Implementation> implement_idea(const std::vector<PlaybookEntry>& entries, const Idea& idea,
                                           const RoundContext& context, int count) {
  const PlaybookEntry* entry = find_entry(entries, entry_key(idea.key));
  const Workload* workload = context.op->workload(context.workload);
  if (entry == nullptr || workload == nullptr || count <= 0) return {};
  Random random(derive_seed(context.seed, "implement " + idea.key));
  const auto wanted = static_cast<std::size_t>(count);
  if (idea.key.starts_with(kTunePrefix)) return tuned(*entry, *context.op, context, random, wanted);

  std::vector<Parent> parents;
  for (const std::string& part : entry->combines) {
    for (const Survivor& survivor : context.survivors) {
      if (entry_key(survivor.idea_key) != part) continue;
      parents.push_back({survivor.candidate_hash, Relation::combines});
      break;
    }
  }
  std::vector<Implementation> found;
  const TunableSpace space(entry->header, *context.op, workload->axes, context.limits);
  const auto skip = [&](const Bindings& choice) { return !untried(*entry, context, choice); };
  for (const Bindings& choice : space.sample(wanted, random, skip))
    found.push_back({entry->source, choice, parents});
  return found;
}

Result<const std::vector<PlaybookEntry>*> Playbook::entries(const Operator& op) {
  const auto known = by_operator_.find(op.name);
  if (known != by_operator_.end()) return &known->second;
  Result<std::vector<PlaybookEntry>> loaded = load_playbook(op);
  if (!loaded) return failure(loaded.error());
  return &by_operator_.emplace(op.name, std::move(*loaded)).first->second;
}

Result<std::vector<Idea>> Playbook::propose(const RoundContext& context, int count) {
  const auto known = entries(*context.op);
  if (!known) return failure(known.error());
  return propose_ideas(**known, context, count);
}

Result<std::vector<Implementation>> Playbook::implement(const Idea& idea, const RoundContext& context,
                                                        int count) {
  const auto known = entries(*context.op);
  if (!known) return failure(known.error());
  return implement_idea(**known, idea, context, count);
}

}  // namespace kevolve::search
