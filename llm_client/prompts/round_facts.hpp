#pragma once
// What a round knows, in a prompt's words: device, limit, times, the ledger. Foreign text in it
// (sources, wordings, evidence) is fenced and cut. Pure.

#include <string>

#include "core/search/idea.hpp"

namespace kevolve::llm {

// Sizes of what a prompt shows of others' text, in bytes.
constexpr std::size_t kMaxEvidenceBytes = 6 * 1024;   ///< of one failure, in a repair
constexpr std::size_t kMaxLedgerEvidenceBytes = 300;  ///< of one failure, in the ledger
constexpr std::size_t kMaxIdeaBytes = 600;            ///< of one idea, in the ledger
constexpr std::size_t kMaxLedgerEntries = 40;

std::string device_text(const search::RoundContext& context);
/// The physical limit, and how far the best kernel is from it.
std::string limit_text(const search::RoundContext& context);
std::string times_text(const search::RoundContext& context);
std::string ledger_text(const search::RoundContext& context);

}  // namespace kevolve::llm
