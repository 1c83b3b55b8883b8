#pragma once
// What a model is told: a prompt's text file, filled with what the search knows. Pure: the same arguments,
// the same messages, so that a run can be repeated and a prompt be read before it is paid for.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/search/idea.hpp"
#include "llm_client/chat.hpp"

namespace kevolve::llm {

/// The prompt texts, by name: "system", "contract", "round" (what all requests of a round share), "ideas",
/// "implement", "repair", "improve", and for devices "device_cpu", "device_sm_90a". {{name}} stands for a
/// value; docs/prompts.md lists them.
struct PromptSet {
  std::map<std::string, std::string> texts;
};

/// The texts that come with the program (llm_client/prompts/*.md); a file of the same name in `overrides`
/// takes one's place. An unknown file name or an unknown {{value}} is an error that names the known ones.
Result<PromptSet> load_prompts(const std::optional<std::filesystem::path>& overrides);

/// One candidate of a model's, as far as it came.
struct CandidateAttempt {
  std::string source;  ///< the .cu text; "" when the reply held none
  Bindings tunables;
  std::string complaint;  ///< why the reply held no candidate, or its header was refused; or ""
  std::optional<Evaluation> evaluation;         ///< when it was judged
  double us = 0;                                ///< when it passed: on the RoundContext's scale
  std::vector<search::TunedTime> tunings = {};  ///< other choices of its tunables that were tried
};

// Every request is a system message, a user message that is the same in all requests of the round (with the
// cache mark), and a user message that asks.

/// Asks for `count` distinct ideas. `siblings`: texts of ideas that other sources already proposed this
/// round.
std::vector<Message> ideas_messages(const PromptSet& prompts, const search::RoundContext& context, int count,
                                    const std::vector<std::string>& siblings);
/// Asks for one candidate file that carries out `idea`: `way` of `ways` (from 1), each asked for separately.
std::vector<Message> implement_messages(const PromptSet& prompts, const search::RoundContext& context,
                                        const search::Idea& idea, int way, int ways);
/// Asks for a corrected file: nothing but the fault is to change. `turn` of `turns`, from 1.
std::vector<Message> repair_messages(const PromptSet& prompts, const search::RoundContext& context,
                                     const search::Idea& idea, const CandidateAttempt& failed, int turn,
                                     int turns);
/// Asks for a faster file of the same idea, from what was measured of a right one.
std::vector<Message> improve_messages(const PromptSet& prompts, const search::RoundContext& context,
                                      const search::Idea& idea, const CandidateAttempt& passed, int turn,
                                      int turns);

}  // namespace kevolve::llm
