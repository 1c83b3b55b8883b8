#include "llm_client/prompts/round_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/gates/profile.hpp"
#include "core/search/regime.hpp"
#include "llm_client/prompts/quote.hpp"

namespace kevolve {
namespace {

std::string survivor_text(const Survivor& survivor, const RoundContext& context, std::size_t number,
                          std::size_t room) {
  std::string text = fmt::format("## {}. Key `{}`", number, one_line(survivor.idea_key, 100));
  if (survivor.us > 0) text += fmt::format(": {}", time_text(survivor.us));
  if (survivor.speedup > 0)
    text += fmt::format(", {:.3g} times as fast as {}", survivor.speedup,
                        context.yardstick.empty() ? "the yardstick" : context.yardstick);
  text += fmt::format("\n\nTunables of this measurement: {}.\n\n{}", tunables_text(survivor.tunables),
                      source_text(survivor.source, std::min(room, kMaxSourceBytes)));
  if (survivor.profile) text += "\n\n" + profile_text(*survivor.profile);
  return text;
}

/// What came of an idea, in words.
std::string fate_text(const LedgerEntry& entry) {
  std::string text = fmt::format("{} of {} attempts passed", entry.passed, entry.attempts);
  std::string others;
  for (const auto& [outcome, count] : entry.outcomes) {
    if (outcome != name(Outcome::passed))
      others += fmt::format("{}{} x {}", others.empty() ? "" : ", ", count, outcome);
  }
  if (!others.empty()) text += fmt::format(" ({})", others);
  if (entry.best_us > 0) text += fmt::format("; best {}", time_text(entry.best_us));
  if (entry.best_speedup > 0) text += fmt::format("; best speed-up {:.3g} x", entry.best_speedup);
  if (entry.predicted_us && *entry.predicted_us > 0) {
    text += fmt::format("; predicted {}", time_text(*entry.predicted_us));
    if (entry.best_us > 0)
      text += fmt::format(", measured {} ({:.2f} times the prediction)", time_text(entry.best_us),
                          entry.best_us / *entry.predicted_us);
  }
  return text;
}

}  // namespace

std::string time_text(double time_us) {
  if (time_us >= 10000) return fmt::format("{:.0f} us", time_us);
  return fmt::format("{:.4g} us", time_us);
}

std::string tunables_text(const Bindings& tunables) {
  std::string text;
  for (const auto& [name, value] : tunables)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? "none" : text;
}

std::string source_text(std::string_view source, std::size_t most) {
  return fenced(shortened(source, most), "cuda");
}

std::string profile_text(const Profile& profile) {
  std::string text = fmt::format("Profile: {}", name(profile.regime));
  text +=
      profile.measured() ? " by hardware counters." : fmt::format(" ({}).", one_line(profile.source, 300));
  for (const std::string& advice : profile.advice) text += "\n- " + one_line(advice, 600);
  if (profile.metrics.empty()) return text;
  text += "\n\nCounters:\n";
  for (const auto& [metric, value] : profile.metrics) {
    const auto known = curated_metrics();
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const CounterMetric& m) { return metric == m.name; });
    text += fmt::format("\n- {} {:.4g}{}", one_line(metric, 60), value,
                        found == known.end() ? "" : fmt::format(" ({})", found->meaning));
  }
  return text;
}

std::string device_text(const RoundContext& context) {
  const DeviceInfo& device = context.device;
  const DeviceLimits& limits = context.limits;
  std::string text = fmt::format(
      "Device `{}`: {}; architecture {}; compiled by {}; `num_sms` = {}; at most {} threads and {} bytes of "
      "shared memory a block",
      device.name, device.model, device.architecture, device.toolchain, device.num_sms,
      limits.max_threads_per_block, limits.max_shared_bytes);
  if (limits.memory_bytes > 0)
    text += fmt::format("; {:.4g} GB of memory", static_cast<double>(limits.memory_bytes) / 1e9);
  return text + ".";
}

std::string limit_text(const RoundContext& context) {
  if (context.floor_us <= 0) return "The physical limit of this workload on this device is not known.";
  std::string text =
      fmt::format("Physical limit (least bytes over measured bandwidth, least operations over the peak): {}.",
                  time_text(context.floor_us));
  if (context.champion_us > 0)
    text += fmt::format(" The best kernel so far takes {:.2f} times as long.",
                        context.champion_us / context.floor_us);
  return text;
}

std::string times_text(const RoundContext& context) {
  std::string text;
  const auto line = [&](std::string_view what, double time_us) {
    text += fmt::format("{}- {}: {}", text.empty() ? "" : "\n", what,
                        time_us > 0 ? time_text(time_us) : "not known");
  };
  line("naive kernel", context.naive_us);
  line("PyTorch eager", context.eager_us);
  line("torch.compile", context.compile_us);
  line("champion (the best verified kernel so far)", context.champion_us);
  if (!context.yardstick.empty())
    text += fmt::format("\n\nSpeed-ups below are against {}.", context.yardstick);
  const Regime regime = regime_of(context.champion_profile, context.champion_us, context.floor_us);
  const bool counted = context.champion_profile && context.champion_profile->measured() &&
                       context.champion_profile->regime != Regime::unknown;
  if (regime != Regime::unknown)
    text +=
        fmt::format("\n\nThe champion is {}, {}.", name(regime),
                    counted ? "by hardware counters" : "as inferred from its time over the physical limit");
  if (context.champion_profile) text += "\n\nOf the champion. " + profile_text(*context.champion_profile);
  return text;
}

std::string survivors_text(const RoundContext& context) {
  if (context.survivors.empty()) return "None yet beyond the naive kernel, or none that this round may see.";
  std::string text = "Best first. Refer to them by their keys.";
  std::size_t shown = 0, room = kMaxAllSourcesBytes;
  for (const Survivor& survivor : context.survivors) {
    if (shown == kMaxSurvivors || room < kMaxSourceBytes / 4) break;
    text += "\n\n" + survivor_text(survivor, context, ++shown, room);
    room -= std::min({room, kMaxSourceBytes, survivor.source.size()});
  }
  if (shown < context.survivors.size())
    text += fmt::format("\n\n({} more kernels are left out here.)", context.survivors.size() - shown);
  return text;
}

std::string ledger_text(const RoundContext& context) {
  if (context.ledger.empty()) return "Nothing yet.";
  // The fastest first: what worked is worth more room than the order of keys.
  std::vector<const LedgerEntry*> entries;
  for (const LedgerEntry& entry : context.ledger) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const LedgerEntry* a, const LedgerEntry* b) {
    return a->best_speedup > b->best_speedup;
  });
  std::string body;
  for (std::size_t i = 0; i < std::min(entries.size(), kMaxLedgerEntries); ++i) {
    const LedgerEntry& entry = *entries[i];
    body += fmt::format("[{}] {}\n  {}\n", one_line(entry.idea_key, 100),
                        one_line(entry.idea_text, kMaxIdeaBytes), fate_text(entry));
    if (!entry.evidence.empty())
      body += fmt::format("  last failure: {}\n", one_line(entry.evidence, kMaxLedgerEvidenceBytes));
  }
  std::string text = fmt::format("{} ideas, fastest first: key, idea, what came of it.\n\n{}", entries.size(),
                                 fenced(body, "text"));
  if (entries.size() > kMaxLedgerEntries)
    text += fmt::format("\n\n({} more ideas were tried and are left out here.)",
                        entries.size() - kMaxLedgerEntries);
  return text;
}

}  // namespace kevolve
