#include "llm_client/prompts/round_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/search/regime.hpp"
#include "core/text/words.hpp"
#include "llm_client/prompts/kernel_facts.hpp"
#include "llm_client/prompts/quote.hpp"

namespace kevolve::llm {
namespace {

/// What came of an idea, in words.
std::string fate_text(const search::LedgerEntry& entry) {
  std::string text = fmt::format("{} of {} attempts passed", entry.passed, entry.attempts);
  std::string others;
  for (const auto& [outcome, count] : entry.outcomes) {
    if (outcome != name(Outcome::passed))
      others += fmt::format("{}{} x {}", others.empty() ? "" : ", ", count, outcome);
  }
  if (!others.empty()) text += fmt::format(" ({})", others);
  if (entry.best_us > 0)
    text += fmt::format("; best {} ({:.3g} x)", time_text(entry.best_us), entry.best_speedup);
  if (entry.predicted_us && *entry.predicted_us > 0) {
    text += fmt::format("; predicted {}", time_text(*entry.predicted_us));
    if (entry.best_us > 0)
      text += fmt::format(", took {:.2f} times that", entry.best_us / *entry.predicted_us);
  }
  return text;
}

/// What holds the champion back, where that can be told.
std::string regime_text(const search::RoundContext& context) {
  const auto& profile = context.champion_profile;
  if (profile && profile->measured()) return "\n\nOf the champion. " + profile_text(*profile);
  // Without counters an author is better served by limit_text()'s two times than by a name for their ratio.
  if (!context.device.traits().has_counters) return "";
  const Regime regime = search::infer_regime(context);
  if (regime == Regime::unknown) return "";
  return fmt::format("\n\nThe champion is {}, as inferred from its time over the physical limit.",
                     name(regime));
}

}  // namespace

std::string device_text(const search::RoundContext& context) {
  const DeviceInfo& device = context.device;
  const DeviceLimits& limits = context.limits;
  std::string text = fmt::format(
      "Device `{}`: {}; architecture {}; compiled by {}; `num_sms` = {}; at most {} threads and {} bytes of "
      "shared memory a block",
      device.name, device.model, device.architecture, device.toolchain, device.num_sms,
      limits.max_threads_per_block, limits.max_shared_bytes);
  if (limits.memory_bytes > 0)
    text += fmt::format("; {:.4g} GB of memory", static_cast<double>(limits.memory_bytes) / 1e9);
  text += ".";
  for (const std::string& fact : device.facts) text += "\n- " + one_line(fact, 400);
  return text;
}

std::string limit_text(const search::RoundContext& context) {
  if (context.floor_us <= 0) return "The physical limit of this workload on this device is not known.";
  std::string text =
      fmt::format("Physical limit (least bytes over measured bandwidth, least operations over the peak): {}.",
                  time_text(context.floor_us));
  if (context.memory_us > 0)
    text += fmt::format(
        " The bandwidth is that of the caches, for a limit nobody may get below; copying the least bytes "
        "between buffers "
        "that are in no cache takes about {}.",
        time_text(context.memory_us));
  if (context.champion_us > 0)
    text += fmt::format(" The best kernel so far takes {:.2f} times the limit.",
                        context.champion_us / context.floor_us);
  return text;
}

std::string times_text(const search::RoundContext& context) {
  std::string text;
  const auto line = [&](std::string_view what, double time_us) {
    if (time_us > 0) text += fmt::format("{}- {}: {}", text.empty() ? "" : "\n", what, time_text(time_us));
  };
  line("naive kernel", context.naive_us);
  line(context.device.traits().on_host
           ? fmt::format("PyTorch eager, on the same {} threads", context.device.num_sms)
           : "PyTorch eager",
       context.eager_us);
  line("torch.compile", context.compile_us);
  if (context.champion_us > 0 && context.champion_us == context.naive_us)
    text += "\n- champion (the best verified kernel so far): still the naive one";
  else
    line("champion (the best verified kernel so far)", context.champion_us);
  if (text.empty()) text = "No times are known yet.";
  if (!context.yardstick.empty())
    text += fmt::format(
        "\n\nAll speed-ups here are against {0}, timed side by side, and every kernel's time is {0}'s time "
        "above over its speed-up: machines are faster at one hour than at another.",
        context.yardstick);
  return text + regime_text(context);
}

std::string ledger_text(const search::RoundContext& context) {
  if (context.ledger.empty()) return "Nothing yet.";
  // The fastest first: what worked is worth more room than the order of keys.
  std::vector<const search::LedgerEntry*> entries;
  for (const search::LedgerEntry& entry : context.ledger) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const search::LedgerEntry* a, const search::LedgerEntry* b) {
                     return a->best_speedup > b->best_speedup;
                   });
  std::string body;
  for (std::size_t i = 0; i < std::min(entries.size(), kMaxLedgerEntries); ++i) {
    const search::LedgerEntry& entry = *entries[i];
    body += fmt::format("[{}] {}\n  {}\n", one_line(entry.idea_key, 100),
                        one_line(entry.idea_text, kMaxIdeaBytes), fate_text(entry));
    if (!entry.evidence.empty())
      body += fmt::format("  last failure: {}\n", one_line(entry.evidence, kMaxLedgerEvidenceBytes));
  }
  std::string text = fmt::format(
      "{} ideas, fastest first. An attempt is one file with one choice of tunables: the first draft, its "
      "corrections and improvements, and tunings of each.\n\n{}",
      entries.size(), fenced(body, "text"));
  if (entries.size() > kMaxLedgerEntries)
    text += fmt::format("\n\n({} more ideas were tried and are left out here.)",
                        entries.size() - kMaxLedgerEntries);
  return text;
}

}  // namespace kevolve::llm
