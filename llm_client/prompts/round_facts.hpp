#pragma once
// What a round knows, in a prompt's words: device, times, the best kernels, the ledger. Foreign text in it
// (sources, wordings, evidence) is fenced and cut. Pure.

#include <string>

#include "core/search/idea.hpp"

namespace kevolve {

// Sizes of what a prompt shows of others' text, in bytes.
constexpr std::size_t kMaxSourceBytes = 24 * 1024;      ///< of one kernel
constexpr std::size_t kMaxAllSourcesBytes = 64 * 1024;  ///< of all survivors together
constexpr std::size_t kMaxEvidenceBytes = 6 * 1024;     ///< of one failure, in a repair
constexpr std::size_t kMaxLedgerEvidenceBytes = 300;    ///< of one failure, in the ledger
constexpr std::size_t kMaxIdeaBytes = 600;              ///< of one idea, in the ledger
constexpr std::size_t kMaxLedgerEntries = 40;
constexpr std::size_t kMaxSurvivors = 4;

std::string device_text(const RoundContext& context);
/// The physical limit, and how far the best kernel is from it.
std::string limit_text(const RoundContext& context);
std::string times_text(const RoundContext& context);
std::string survivors_text(const RoundContext& context);
std::string ledger_text(const RoundContext& context);

/// Regime, advice and metrics with their meaning; "" when nothing is known.
std::string profile_text(const Profile& profile);
/// "BLOCK = 128, SPLIT = 8", or "none".
std::string tunables_text(const Bindings& tunables);
/// "123.4 us"
std::string time_text(double time_us);
/// `source` shortened to `most` bytes, in a fence.
std::string source_text(std::string_view source, std::size_t most);

}  // namespace kevolve
