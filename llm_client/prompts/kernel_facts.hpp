#pragma once
// Kernels in a prompt: the best ones of this operator and of others, each source once with the times of its
// tunables, and what was measured of one attempt. Foreign text in it is fenced and cut. Pure.

#include <string>
#include <vector>

#include "core/search/idea.hpp"
#include "llm_client/prompts/messages.hpp"

namespace kevolve::llm {

// Sizes of what a prompt shows of others' text, in bytes.
constexpr std::size_t kMaxSourceBytes = 24 * 1024;       ///< of one kernel
constexpr std::size_t kMaxAllSourcesBytes = 64 * 1024;   ///< of all survivors together
constexpr std::size_t kMaxInspirationBytes = 10 * 1024;  ///< of one kernel of another operator
constexpr std::size_t kMaxSurvivors = 4, kMaxInspirations = 2;
constexpr std::size_t kMaxTunings = 16;         ///< of one source
constexpr std::size_t kMaxLogBytes = 3 * 1024;  ///< of one compiler's log

/// One source among the survivors.
struct ShownKernel {
  const search::Survivor* best = nullptr;  ///< its fastest choice of tunables
  std::vector<search::TunedTime> tunings;  ///< all choices that were verified, that one too; fastest first
  std::vector<std::string> keys;           ///< of the ideas that led to this source, best first
  bool source_shown = false;               ///< false: left out for want of room
};

/// The survivors by source, best first. Views `context`.
std::vector<ShownKernel> shown_kernels(const search::RoundContext& context);
std::string survivors_text(const search::RoundContext& context);
std::string inspirations_text(const search::RoundContext& context);

/// All that was measured of a right candidate, on the context's scale.
std::string measured_text(const search::RoundContext& context, const CandidateAttempt& passed);
/// What a source's header lists first of each tunable; nothing when it is no candidate of the context's
/// operator.
std::optional<Bindings> first_values(const search::RoundContext& context, std::string_view source);
/// A list of choices and their times; 0 reads as "did not pass". `first` is marked.
std::string tunings_text(const std::vector<search::TunedTime>& tunings, const std::optional<Bindings>& first);

/// Regime, advice and metrics with their meaning; "" when no counters were read.
std::string profile_text(const Profile& profile);
/// "BLOCK = 128, SPLIT = 8", or "none".
std::string tunables_text(const Bindings& tunables);
/// "123.4 us"
std::string time_text(double time_us);
/// `source` shortened to `most` bytes, in a fence.
std::string source_text(std::string_view source, std::size_t most);

}  // namespace kevolve::llm
