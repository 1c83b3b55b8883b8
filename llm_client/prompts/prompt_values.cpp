#include "llm_client/prompts/prompt_values.hpp"

#include "llm_client/prompts/kernel_facts.hpp"
#include "llm_client/prompts/operator_facts.hpp"
#include "llm_client/prompts/quote.hpp"
#include "llm_client/prompts/round_facts.hpp"

namespace kevolve::llm {
namespace {

const std::map<std::string, std::set<std::string>, std::less<>>& task_values() {
  static const std::map<std::string, std::set<std::string>, std::less<>> kValues = {
      {"ideas", {"count", "guidance", "siblings"}},
      {"implement", {"idea", "bottleneck", "parents", "way"}},
      {"repair", {"idea", "failed_source", "failure", "turn", "turns"}},
      {"improve", {"idea", "passed_source", "measured", "turn", "turns"}},
  };
  return kValues;
}

std::string guide(const PromptSet& prompts, const DeviceInfo& device) {
  const auto found = prompts.texts.find("device_" + device.traits().guide);
  if (found != prompts.texts.end()) return found->second.substr(0, found->second.find_last_not_of(" \n") + 1);
  return "No further facts about this device are at hand; rely on what its architecture is known for.";
}

}  // namespace

const std::vector<std::string>& prompt_names() {
  static const std::vector<std::string> kNames = {"system",     "contract",      "round",
                                                  "device_cpu", "device_sm_90a", "ideas",
                                                  "implement",  "repair",        "improve"};
  return kNames;
}

std::set<std::string> known_values(std::string_view prompt) {
  if (prompt.starts_with("device_")) return {};
  std::set<std::string> names = {
      "operator_name", "operator_description", "workload", "axes",         "tensors", "reference",
      "precision",     "distributions",        "device",   "device_guide", "limit",   "times",
      "survivors",     "inspirations",         "ledger",   "round"};
  if (const auto task = task_values().find(prompt); task != task_values().end())
    names.insert(task->second.begin(), task->second.end());
  return names;
}

PromptValues round_values(const PromptSet& prompts, const search::RoundContext& context) {
  static const Operator kNone;
  const Operator& op = context.op == nullptr ? kNone : *context.op;
  const Workload* found = op.workload(context.workload);
  const Workload workload = found == nullptr ? Workload{context.workload, {}, {}} : *found;
  return {{"operator_name", op.name},
          {"operator_description", op.description},
          {"workload", context.workload},
          {"axes", axes_text(op, workload)},
          {"tensors", tensors_text(op, workload)},
          {"reference", fenced(op.reference, "python")},
          {"precision", precision_text(op)},
          {"distributions", distributions_text(op)},
          {"device", device_text(context)},
          {"device_guide", guide(prompts, context.device)},
          {"limit", limit_text(context)},
          {"times", times_text(context)},
          {"survivors", survivors_text(context)},
          {"inspirations", inspirations_text(context)},
          {"ledger", ledger_text(context)},
          {"round", std::to_string(context.round)}};
}

}  // namespace kevolve::llm
