#pragma once
// The nouns of the search: an idea in English, its implementations, and what a round knows when it asks for
// more. Plain data.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/candidate.hpp"
#include "core/model/evaluation.hpp"
#include "core/model/launch_plan.hpp"
#include "core/model/lineage.hpp"
#include "core/model/tried.hpp"

namespace kevolve::search {

/// An optimization idea in English. `key` names it within its operator: ideas of equal key are the same idea.
struct Idea {
  std::string source;  ///< "seed", "playbook", "llm", …
  std::string key;     ///< "split_rows", "tune:split_rows"
  std::string text;
  std::vector<std::string> parents = {};  ///< keys of the ideas it builds on
  std::string bottleneck = {};            ///< what it attacks, in English; "" when the source does not say
  std::optional<double> predicted_us =
      {};  ///< the time it is expected to bring, when the source dares to say
};

struct Parent {
  std::string candidate_hash;
  Relation relation = Relation::same_idea;
};

/// One way to carry out an idea.
struct Implementation {
  std::string source;  ///< the .cu text
  Bindings tunables;
  std::vector<Parent> parents;
};

/// One choice of tunables of a source, and the time it took; 0: it was not verified.
struct TunedTime {
  Bindings tunables;
  double us = 0;
};

/// A verified kernel that may seed the next round.
struct Survivor {
  std::string candidate_hash;
  std::string idea_key;
  std::string source;
  Bindings tunables;
  double speedup = 0;                   ///< over the yardstick, median ratio
  std::optional<Profile> profile = {};  ///< when it was profiled
  double us = 0;                        ///< on RoundContext's scale
  std::vector<TunedTime> tunings =
      {};  ///< other verified choices of the same source's tunables, fastest first
};

/// The best kernel of another operator on the same device.
struct Inspiration {
  std::string operator_name, idea, source;
  Bindings tunables;
  double speedup = 0;
  Regime regime = Regime::unknown;  ///< what holds it back, where counters were read
  double operations_per_byte = 0;   ///< of its operator at its workload; 0 when unknown
};

/// One idea and how it fared so far.
struct LedgerEntry {
  std::string idea_key, idea_text;
  int attempts = 0, passed = 0;
  double best_speedup = 0, best_us = 0;     ///< 0 when none passed; on RoundContext's scale
  std::optional<double> predicted_us = {};  ///< what its author expected of it
  std::string evidence = {};                ///< of its last failed candidate, when none passed
  std::map<std::string, int> outcomes;      ///< by outcome name
};

/// What an idea source is told when a round begins. All times are on one scale: a kernel's is the yardstick's
/// time of the seed's evaluation over the kernel's speed-up, since a speed-up is measured side by side while
/// machines are faster at one hour than at another.
struct RoundContext {
  const Operator* op = nullptr;
  std::string workload;
  DeviceInfo device;
  DeviceLimits limits;
  int round = 1;
  std::uint64_t seed = 0;                ///< of this round: same context, same answer
  double champion_us = 0, floor_us = 0;  ///< best time so far and physical limit; 0 when unknown
  std::string yardstick = {};            ///< what speed-ups are against: "naive", "eager"
  double memory_us = 0;  ///< what copying its least bytes takes when they are in no cache; 0 when unknown
  double naive_us = 0, eager_us = 0, compile_us = 0;  ///< times to beat; 0 when unknown
  std::optional<Profile> champion_profile;            ///< of the best kernel so far, when it was profiled
  std::string champion_hash = {};                     ///< of that kernel, as in Survivor::candidate_hash
  std::vector<Survivor> survivors;                    ///< best first
  std::vector<LedgerEntry> ledger;
  std::vector<Inspiration> inspirations = {};
  Tried tried;  ///< asking for them again wastes the round
};

}  // namespace kevolve::search
