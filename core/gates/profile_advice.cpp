#include "core/gates/profile_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text/words.hpp"

namespace kevolve::gates {
namespace {

constexpr std::size_t kMostSentences = 5;
/// A warp's widest load, 16 bytes a thread, touches this many sectors when its threads are neighbours.
constexpr double kWidestSectors = 16;

/// What the rules look at, and the sentences that they leave behind.
struct Advisor {
  Regime regime;
  const Utilisation& use;
  const std::map<std::string, double>& metrics;
  const KernelFacts& facts;
  std::vector<std::string> sentences;

  [[nodiscard]] double at(const char* name) const {
    const auto found = metrics.find(name);
    return found == metrics.end() ? 0 : found->second;
  }
  [[nodiscard]] bool has(const char* name) const { return metrics.contains(name); }
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    sentences.push_back(fmt::format(text, std::forward<Values>(values)...));
  }
};

/// What is busy, and what can be done about that part.
std::string_view relief(std::string_view sm_metric) {
  if (sm_metric == "tensor_pct")
    return "the tensor cores are fed well: only fewer multiplications, or a narrower type where the "
           "precision "
           "class allows it, help";
  if (sm_metric == "fma_pct")
    return "only fewer fp32 operations help, or tensor cores where the precision class allows them";
  if (sm_metric == "fp64_pct")
    return "avoid double precision: check literals without an f and calls such as exp";
  if (sm_metric == "xu_pct")
    return "replace some exponentials, divisions, roots and conversions by polynomials on the FMA pipes, or "
           "compute each once";
  if (sm_metric == "alu_pct")
    return "integer and comparison work dominates: hoist index arithmetic out of loops, unroll, use wider "
           "accesses";
  if (sm_metric == "l1_pct" || sm_metric == "lsu_pct")
    return "shared memory and L1 feed the pipes too often: larger register tiles, 128-bit accesses, and "
           "shuffles move the same operands less often";
  return "instructions themselves are the limit: wider loads, packed arithmetic (half2), unrolling and fewer "
         "instructions for each element help";
}

void state_regime(Advisor& a) {
  if (a.regime == Regime::latency_bound) {
    return a.say(
        "Latency-bound: neither memory (dram_pct {:.3g} %, l2_pct {:.3g} %) nor the SMs ({} {:.3g} %) reach "
        "{:.3g} % of their peak, so the kernel waits; more independent work at a time helps, fewer "
        "operations do not.",
        a.use.dram, a.use.l2, a.use.sm_metric, a.use.sm, kBusyPct);
  }
  if (a.regime == Regime::compute_bound) {
    return a.say("Compute-bound: {} is {:.3g} % of its peak, memory {:.3g} %; {}.", a.use.sm_metric, a.use.sm,
                 a.use.memory(), relief(a.use.sm_metric));
  }
  if (a.use.dram >= a.use.l2) {
    return a.say(
        "Memory-bound: dram_pct is {:.3g} % of the peak, so {}.", a.use.dram,
        a.use.dram >= kSaturatedPct
            ? "only fewer bytes help: fuse passes, narrower types, each value read once"
            : "fewer bytes help most, then more bytes in flight (wider loads, several for each thread "
              "before the first use)");
  }
  a.say(
      "Memory-bound in L2: l2_pct is {:.3g} % of the peak and dram_pct {:.3g} %, so blocks fetch the same "
      "data "
      "again and again; larger tiles for each block, shared memory, or multicast within a cluster help.",
      a.use.l2, a.use.dram);
}

void judge_traffic(Advisor& a) {
  const double moved = a.at("dram_read_bytes") + a.at("dram_write_bytes");
  if (a.facts.least_bytes <= 0 || moved <= 0) return;
  const double ratio = moved / a.facts.least_bytes;
  if (ratio >= 1.25 && (a.regime == Regime::memory_bound || ratio >= 2)) {
    a.say(
        "dram_read_bytes {} and dram_write_bytes {} together are {:.1f} x the least possible {}: data is "
        "read "
        "or written more than once; keep it on chip, or fuse the passes.",
        in_bytes(a.at("dram_read_bytes")), in_bytes(a.at("dram_write_bytes")), ratio,
        in_bytes(a.facts.least_bytes));
  } else if (a.regime == Regime::memory_bound && ratio >= 0.8 && a.use.dram >= kSaturatedPct) {
    a.say(
        "DRAM moves {}, {:.2f} x the least possible, at {:.3g} % of its peak: hardly anything is left to "
        "gain.",
        in_bytes(moved), ratio, a.use.dram);
  }
}

void judge_coalescing(Advisor& a) {
  const double sectors = a.at("sectors_per_load");
  if (sectors <= 1.15 * kWidestSectors) return;
  a.say(
      "sectors_per_load is {:.1f}: a warp's load touches that many 32-byte sectors, where neighbouring "
      "threads "
      "that read neighbouring addresses touch 4 (4 bytes each) to 16 (16 bytes each); rearrange which thread "
      "reads what, or stage through shared memory.",
      sectors);
}

void judge_spills(Advisor& a) {
  if (a.facts.spill_bytes <= 0) return;
  a.say(
      "The compiler spills {} bytes of registers a thread (spill_bytes, {} registers): every use goes "
      "through "
      "L1; smaller tiles for each thread, fewer threads for each block, or a higher register limit avoid it.",
      a.facts.spill_bytes, a.facts.registers);
}

/// Blocks of the biggest launch, from the plan or, failing that, counted.
double blocks_of(const Advisor& a) {
  if (a.facts.blocks > 0) return static_cast<double>(a.facts.blocks);
  return a.at("blocks") / static_cast<double>(std::max<std::int64_t>(1, a.facts.launches));
}

void judge_blocks(Advisor& a) {
  const double blocks = blocks_of(a), sms = static_cast<double>(a.facts.num_sms);
  if (blocks <= 0 || sms <= 0) return;
  if (blocks < sms) {
    return a.say(
        "{:.0f} {} {:.0f} of {:.0f} SMs without work (sm_active_pct {:.3g} %): split the work over "
        "at least one block for each SM, for a reduction in two steps or with atomics.",
        blocks, blocks == 1 ? "block leaves" : "blocks leave", sms - blocks, sms, a.at("sm_active_pct"));
  }
  if (a.facts.resident_blocks <= 0) return;
  const double waves = blocks / (sms * static_cast<double>(a.facts.resident_blocks));
  const double tail = waves - std::floor(waves);
  if (waves <= 1 || waves >= 5 || tail <= 0 || tail > 0.5) return;
  a.say(
      "{:.0f} blocks are {:.2f} waves of {} blocks on {:.0f} SMs (sm_active_pct {:.3g} %): the last wave "
      "leaves most SMs idle; choose a grid of whole waves, smaller blocks, or a persistent grid.",
      blocks, waves, a.facts.resident_blocks, sms, a.at("sm_active_pct"));
}

void judge_occupancy(Advisor& a) {
  if (!a.has("occupancy_pct") || a.at("occupancy_pct") >= 40 || a.regime == Regime::compute_bound) return;
  if (a.use.dram >= kSaturatedPct) return;  // enough warps, evidently
  std::string cause = "more threads for each block, or more independent loads for each thread, hide latency";
  if (a.facts.registers >= 64)
    cause = fmt::format("{} registers a thread limit it; smaller tiles or __launch_bounds__ help",
                        a.facts.registers);
  else if (a.facts.shared_bytes >= 48 * 1024)
    cause =
        fmt::format("{} bytes of shared memory a block limit it; smaller tiles help", a.facts.shared_bytes);
  a.say("occupancy_pct is {:.3g} %, so few warps are there to hide latency: {}.", a.at("occupancy_pct"),
        cause);
}

void judge_conflicts(Advisor& a) {
  const double wavefronts = a.at("shared_wavefronts"), conflicts = a.at("shared_conflicts");
  if (wavefronts <= 0 || conflicts < 0.2 * wavefronts) return;
  // Where shared memory hardly matters, its conflicts do not either.
  if (a.at("l1_pct") * a.use.stretch < 20 && a.at("stall_short_scoreboard") < 1) return;
  a.say(
      "shared_conflicts are {:.3g} % of shared_wavefronts: bank conflicts; pad or swizzle the shared arrays.",
      std::min(100.0, 100 * conflicts / wavefronts));
}

struct Stall {
  const char* metric;
  std::string_view meaning;
};
constexpr std::array<Stall, 8> kStalls = {{
    {"stall_long_scoreboard",
     "warps wait for global memory: issue several independent loads before the first use, prefetch "
     "(cp.async), or bring the data nearer"},
    {"stall_short_scoreboard",
     "warps wait for shared memory or special functions: fewer and wider shared accesses, more independent "
     "work between load and use"},
    {"stall_barrier",
     "warps wait at __syncthreads: fewer barriers, smaller blocks, or warp shuffles instead"},
    {"stall_mio_throttle",
     "the queue of shared-memory and shuffle instructions is full: use fewer and wider ones"},
    {"stall_lg_throttle", "the queue of global accesses is full: use fewer and wider loads and stores"},
    {"stall_math_pipe", "warps wait for a busy pipe: move work to another pipe, or do less of it"},
    {"stall_wait",
     "warps wait out fixed delays of dependent instructions: more independent chains (several accumulators, "
     "unrolling)"},
    {"stall_gmma",
     "warps wait for the asynchronous tensor cores: keep more wgmma in flight, and load the next tile "
     "meanwhile"},
}};

/// Which stall dominates; of no interest where DRAM is used up, because then all wait for that.
void judge_stalls(Advisor& a) {
  if (a.use.dram >= kSaturatedPct || a.regime == Regime::compute_bound) return;
  double sum = 0;
  const Stall* worst = &kStalls[0];
  for (const Stall& stall : kStalls) {
    sum += a.at(stall.metric);
    if (a.at(stall.metric) > a.at(worst->metric)) worst = &stall;
  }
  const double share = sum > 0 ? a.at(worst->metric) / sum : 0;
  if (share < 0.3 || a.at(worst->metric) < 0.5) return;
  a.say("{} is {:.1f} warps for each instruction issued, {:.3g} % of the stalls: {}.", worst->metric,
        a.at(worst->metric), 100 * share, worst->meaning);
}

/// Several launches whose gaps are a good part of the time.
void judge_launches(Advisor& a) {
  if (a.facts.launches < 2 || a.regime != Regime::latency_bound) return;
  a.say(
      "{} launches share {:.1f} us (duration_us), and the SMs have work {:.3g} % of it (sm_active_pct): fuse "
      "launches, because each costs a microsecond or two by itself.",
      a.facts.launches, a.at("duration_us"), a.at("sm_active_pct"));
}

void mention_stretch(Advisor& a) {
  if (a.use.stretch < 1.5) return;
  a.say(
      "duration_us is {:.1f} under the profiler and {:.1f} timed without it, so percentages of the peak are "
      "given here over the latter.",
      a.at("duration_us"), a.facts.median_us);
}

}  // namespace

std::vector<std::string> advise(Regime regime, const Utilisation& use,
                                const std::map<std::string, double>& metrics, const KernelFacts& facts) {
  Advisor advisor{regime, use, metrics, facts, {}};
  // In the order of how much a rule's cure usually brings.
  for (const auto rule : {state_regime, judge_blocks, judge_traffic, judge_spills, judge_coalescing,
                          judge_conflicts, judge_stalls, judge_occupancy, judge_launches, mention_stretch})
    rule(advisor);
  if (advisor.sentences.size() > kMostSentences) advisor.sentences.resize(kMostSentences);
  return advisor.sentences;
}

}  // namespace kevolve::gates
