#include "llm_client/prompts/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "llm_client/prompts/kernel_facts.hpp"
#include "llm_client/prompts/prompt_values.hpp"
#include "llm_client/prompts/quote.hpp"
#include "llm_client/prompts/round_facts.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kMaxTaskIdeaBytes = 4000;
constexpr std::size_t kMaxSiblings = 40;
constexpr std::string_view kFirstChoice = "the design that you believe in most";

std::string text_of(const PromptSet& prompts, std::string_view name) {
  const auto found = prompts.texts.find(std::string(name));
  return found == prompts.texts.end() ? "" : found->second;
}

/// What all requests of a round share, then what is asked.
std::vector<Message> request(const PromptSet& prompts, const search::RoundContext& context,
                             std::string_view task, const PromptValues& task_values) {
  PromptValues values = round_values(prompts, context);
  Message system{Role::system, render(text_of(prompts, "system"), values) + "\n" +
                                   render(text_of(prompts, "contract"), values)};
  Message round{Role::user, render(text_of(prompts, "round"), values), true};
  values.insert(task_values.begin(), task_values.end());
  Message asked{Role::user, render(text_of(prompts, task), values)};
  return {std::move(system), std::move(round), std::move(asked)};
}

std::string quoted_idea(const search::Idea& idea) {
  return fenced(shortened(idea.text, kMaxTaskIdeaBytes), "text");
}

/// What the round's state asks of the ideas.
std::string guidance(const search::RoundContext& context) {
  std::size_t found = 0;
  for (const ShownKernel& kernel : shown_kernels(context))
    found += kernel.keys.front() == subjects::kNaive ? 0 : 1;
  if (found == 0)
    return "No kernel but the naive one is verified yet: cover different directions, among them at least one "
           "that is simple and safe.";
  return fmt::format(
      "Mix ideas that attack what limits the champion{} and at least one that departs from all of them. If "
      "the "
      "champion is near the physical limit, only ideas that save traffic or launches can still win.",
      found > 1 ? ", ideas that merge what worked in several kernels above (name them in builds_on)," : "");
}

std::string siblings_text(const std::vector<std::string>& siblings) {
  if (siblings.empty()) return "Nobody else has proposed anything for this round yet.";
  std::string body;
  for (std::size_t i = 0; i < std::min(siblings.size(), kMaxSiblings); ++i)
    body += fmt::format("- {}\n", one_line(siblings[i], kMaxIdeaBytes));
  std::string text =
      "Already proposed for this round by others; do not propose these again:\n\n" + fenced(body, "text");
  if (siblings.size() > kMaxSiblings)
    text += fmt::format("\n\n({} more are left out here.)", siblings.size() - kMaxSiblings);
  return text;
}

/// The kernels that an idea builds on: where they stand, or their sources when the round does not show them.
std::string parents_text(const search::RoundContext& context, const search::Idea& idea) {
  std::string text;
  const std::vector<ShownKernel> kernels = shown_kernels(context);
  std::set<std::string> told;  // several candidates of one idea may be parents
  for (const std::string& key : idea.parents) {
    if (!told.insert(key).second) continue;
    const auto found = std::find_if(kernels.begin(), kernels.end(), [&](const ShownKernel& kernel) {
      return std::find(kernel.keys.begin(), kernel.keys.end(), key) != kernel.keys.end();
    });
    if (found == kernels.end()) continue;
    text += fmt::format("{}It builds on `{}`", text.empty() ? "" : "\n\n", one_line(key, 100));
    if (found->source_shown)
      text += ", whose source stands above.";
    else
      text += fmt::format(" ({}):\n\n{}", time_text(found->best->us),
                          source_text(found->best->source, kMaxSourceBytes));
  }
  return text.empty() ? "It builds on no kernel in particular; borrow from those above what helps." : text;
}

std::string way_text(int way, int ways) {
  if (ways <= 1) return "";
  if (way <= 1)
    return fmt::format("This is way 1 of {}, each written separately: choose {}.", ways, kFirstChoice);
  return fmt::format(
      "This is way {} of {}, each written separately: the others take the obvious designs, so choose one "
      "that "
      "differs in structure (mapping of work to threads, layout, what is kept where, number of launches), "
      "and "
      "still carries out the idea.",
      way, ways);
}

std::string failure_text(const CandidateAttempt& failed) {
  std::string text;
  if (!failed.complaint.empty())
    text = "The reply or its header was refused:\n\n" +
           fenced(shortened(failed.complaint, kMaxEvidenceBytes), "text");
  if (!failed.evaluation) return text.empty() ? "No reason is on record." : text;
  const Verdict& verdict = failed.evaluation->verdict;
  text += fmt::format("{}It was stopped at the gate `{}` with the outcome `{}`. Evidence:\n\n{}",
                      text.empty() ? "" : "\n\n", name(verdict.gate), name(verdict.outcome),
                      fenced(shortened(verdict.evidence, kMaxEvidenceBytes), "text"));
  if (failed.evaluation->compile && !failed.evaluation->compile->log.empty())
    text += "\n\nThe compiler's log:\n\n" +
            fenced(shortened(failed.evaluation->compile->log, kMaxLogBytes), "text");
  return text;
}

std::string attempt_source(const CandidateAttempt& attempt) {
  if (attempt.source.empty())
    return "The reply held no file that could be used; write the file anew from the idea.";
  return fmt::format("The file, judged with tunables {}:\n\n{}", tunables_text(attempt.tunables),
                     source_text(attempt.source, kMaxSourceBytes));
}

}  // namespace

std::vector<Message> ideas_messages(const PromptSet& prompts, const search::RoundContext& context, int count,
                                    const std::vector<std::string>& siblings) {
  return request(prompts, context, "ideas",
                 {{"count", std::to_string(count)},
                  {"guidance", guidance(context)},
                  {"siblings", siblings_text(siblings)}});
}

std::vector<Message> implement_messages(const PromptSet& prompts, const search::RoundContext& context,
                                        const search::Idea& idea, int way, int ways) {
  std::string bottleneck;
  if (!idea.bottleneck.empty())
    bottleneck = "The bottleneck that it attacks, in its author's words:\n\n" +
                 fenced(one_line(idea.bottleneck, kMaxIdeaBytes), "text");
  if (idea.predicted_us)
    bottleneck += fmt::format("{}Its author expects {}.", bottleneck.empty() ? "" : "\n\n",
                              time_text(*idea.predicted_us));
  return request(prompts, context, "implement",
                 {{"idea", quoted_idea(idea)},
                  {"bottleneck", bottleneck},
                  {"parents", parents_text(context, idea)},
                  {"way", way_text(way, ways)}});
}

std::vector<Message> repair_messages(const PromptSet& prompts, const search::RoundContext& context,
                                     const search::Idea& idea, const CandidateAttempt& failed, int turn,
                                     int turns) {
  return request(prompts, context, "repair",
                 {{"idea", quoted_idea(idea)},
                  {"failed_source", attempt_source(failed)},
                  {"failure", failure_text(failed)},
                  {"turn", std::to_string(turn)},
                  {"turns", std::to_string(turns)}});
}

std::vector<Message> improve_messages(const PromptSet& prompts, const search::RoundContext& context,
                                      const search::Idea& idea, const CandidateAttempt& passed, int turn,
                                      int turns) {
  return request(prompts, context, "improve",
                 {{"idea", quoted_idea(idea)},
                  {"passed_source", attempt_source(passed)},
                  {"measured", measured_text(context, passed)},
                  {"turn", std::to_string(turn)},
                  {"turns", std::to_string(turns)}});
}

}  // namespace kevolve::llm
