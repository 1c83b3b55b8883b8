#include "llm_client/prompts/kernel_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/gates/profile.hpp"
#include "core/text/words.hpp"
#include "llm_client/prompts/quote.hpp"

namespace kevolve::llm {
namespace {

void add_tuning(std::vector<search::TunedTime>& tunings, const search::TunedTime& tuning) {
  const bool known = std::any_of(tunings.begin(), tunings.end(),
                                 [&](const search::TunedTime& t) { return t.tunables == tuning.tunables; });
  if (!known) tunings.push_back(tuning);
}

/// Fastest first, failures last.
void sort_tunings(std::vector<search::TunedTime>& tunings) {
  std::stable_sort(tunings.begin(), tunings.end(),
                   [](const search::TunedTime& a, const search::TunedTime& b) {
                     return a.us > 0 && (b.us <= 0 || a.us < b.us);
                   });
}

std::string shown_text(const search::RoundContext& context, const ShownKernel& kernel, std::size_t number,
                       std::size_t most) {
  const search::Survivor& best = *kernel.best;
  std::string text = fmt::format("## {}. Key `{}`", number, one_line(kernel.keys.front(), 100));
  for (std::size_t i = 1; i < kernel.keys.size(); ++i)
    text += fmt::format(", `{}`", one_line(kernel.keys[i], 100));
  if (best.us > 0) text += fmt::format(": {}", time_text(best.us));
  if (best.speedup > 0) text += fmt::format(" ({:.3g} x)", best.speedup);
  if (best.candidate_hash == context.champion_hash) text += ", the champion";
  if (kernel.tunings.size() > 1)
    text += "\n\nIts tunables, as far as they were tried:\n\n" +
            tunings_text(kernel.tunings, first_values(context, best.source));
  else if (!best.tunables.empty())
    text += fmt::format("\n\nTunables: {}.", tunables_text(best.tunables));
  text += "\n\n" + source_text(best.source, most);
  const std::string profile = best.profile ? profile_text(*best.profile) : "";
  return text + (profile.empty() ? "" : "\n\n" + profile);
}

}  // namespace

std::vector<ShownKernel> shown_kernels(const search::RoundContext& context) {
  std::vector<ShownKernel> kernels;
  for (const search::Survivor& survivor : context.survivors) {
    auto kernel = std::find_if(kernels.begin(), kernels.end(),
                               [&](const ShownKernel& k) { return k.best->source == survivor.source; });
    if (kernel == kernels.end()) kernel = kernels.insert(kernel, ShownKernel{&survivor, {}, {}});
    if (std::find(kernel->keys.begin(), kernel->keys.end(), survivor.idea_key) == kernel->keys.end())
      kernel->keys.push_back(survivor.idea_key);
    add_tuning(kernel->tunings, {survivor.tunables, survivor.us});
    for (const search::TunedTime& tuning : survivor.tunings) add_tuning(kernel->tunings, tuning);
  }
  std::size_t room = kMaxAllSourcesBytes;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    sort_tunings(kernels[i].tunings);
    if (i >= kMaxSurvivors || room < kMaxSourceBytes / 4) continue;
    kernels[i].source_shown = true;
    room -= std::min({room, kMaxSourceBytes, kernels[i].best->source.size()});
  }
  return kernels;
}

std::string survivors_text(const search::RoundContext& context) {
  if (context.survivors.empty()) return "None yet beyond the naive kernel, or none that this round may see.";
  std::string text =
      "By speed-up, best first. Refer to them by their keys. The time beside a key is that of the fastest "
      "tunables; "
      "a file's first values of its tunables, with which it was judged at first, are marked where several "
      "were tried.";
  std::size_t shown = 0, room = kMaxAllSourcesBytes;
  const std::vector<ShownKernel> kernels = shown_kernels(context);
  for (const ShownKernel& kernel : kernels) {
    if (!kernel.source_shown) break;
    text += "\n\n" + shown_text(context, kernel, ++shown, std::min(room, kMaxSourceBytes));
    room -= std::min({room, kMaxSourceBytes, kernel.best->source.size()});
  }
  if (shown < kernels.size())
    text += fmt::format("\n\n({} more kernels are left out here.)", kernels.size() - shown);
  return text;
}

std::string inspirations_text(const search::RoundContext& context) {
  if (context.inspirations.empty()) return "";
  std::string text =
      "# What won elsewhere\n\nThe best kernels of other operators on this device, first those that "
      "something "
      "similar holds back. Take techniques from them, not sizes; they are not to be built upon.";
  for (std::size_t i = 0; i < std::min(context.inspirations.size(), kMaxInspirations); ++i) {
    const search::Inspiration& other = context.inspirations[i];
    text += fmt::format("\n\n## Operator {}: {:.3g} x, tunables {}\n\n{}", one_line(other.operator_name, 60),
                        other.speedup, tunables_text(other.tunables),
                        source_text(other.source, kMaxInspirationBytes));
  }
  return text;
}

std::optional<Bindings> first_values(const search::RoundContext& context, std::string_view source) {
  if (context.op == nullptr) return std::nullopt;
  const auto header = parse_candidate(source, *context.op, "a kernel");
  if (!header) return std::nullopt;
  return default_tunables(*header);
}

std::string tunings_text(const std::vector<search::TunedTime>& tunings,
                         const std::optional<Bindings>& first) {
  std::vector<search::TunedTime> sorted = tunings;
  sort_tunings(sorted);
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMaxTunings); ++i)
    text += fmt::format("{}- {}: {}{}", i == 0 ? "" : "\n", tunables_text(sorted[i].tunables),
                        sorted[i].us > 0 ? time_text(sorted[i].us) : "did not pass",
                        sorted[i].tunables == first ? " (the file's first values)" : "");
  if (sorted.size() > kMaxTunings)
    text += fmt::format("\n- ({} slower ones are left out here)", sorted.size() - kMaxTunings);
  return text;
}

std::string time_text(double time_us) {
  if (time_us >= 10000) return fmt::format("{:.0f} us", time_us);
  return fmt::format("{:.4g} us", time_us);
}

std::string tunables_text(const Bindings& tunables) {
  return tunables.empty() ? "none" : in_equations(tunables);
}

std::string source_text(std::string_view source, std::size_t most) {
  return fenced(shortened(source, most), "cuda");
}

std::string profile_text(const Profile& profile) {
  if (!profile.measured()) return "";
  std::string text = fmt::format(
      "Hardware counters: {}. They were read in runs of their own, under the profiler, which may hold the "
      "GPU at a "
      "slower clock: shares and counts hold, times and rates are not those of the timed runs.",
      name(profile.regime));
  for (const std::string& advice : profile.advice) text += "\n- " + one_line(advice, 600);
  if (profile.metrics.empty()) return text;
  text += "\n";
  for (const auto& [metric, value] : profile.metrics) {
    const auto known = gates::curated_metrics();
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const gates::CounterMetric& m) { return metric == m.name; });
    text += fmt::format("\n- {} {:.4g}{}", one_line(metric, 60), value,
                        found == known.end() ? "" : fmt::format(" ({})", found->meaning));
  }
  return text;
}

}  // namespace kevolve::llm
