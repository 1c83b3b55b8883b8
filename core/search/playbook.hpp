#pragma once
// The playbook: the source of ideas that needs no network. Its ideas are the *.cu files beside an operator's
// naive.cu, each an English text, a CUDA template with tunables, and the evidence that suggests it. It picks
// ideas that suit what holds the champion back, merges those that proved themselves (`combines`), and moves
// the tunables of survivors. The choice is reproducible from RoundContext::seed.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/search/idea.hpp"

namespace kevolve::search {

struct PlaybookEntry {
  std::string key;  ///< the file's stem
  std::string source;
  CandidateHeader header;
  std::vector<std::string> regimes;       ///< when to try it; empty: always
  std::vector<std::string> combines;      ///< keys that must have passed before
  std::vector<std::string> requirements;  ///< what the cpu device cannot run: "tensor_cores", "tma", …
};

/// The operator's candidate files, by key, without naive.cu.
Result<std::vector<PlaybookEntry>> load_playbook(const Operator& op);

/// Reads an operator's entries once. Belongs to one thread.
class Playbook {
 public:
  /// At most `count` distinct ideas; fewer, or none, when nothing is left worth trying.
  Result<std::vector<Idea>> propose(const RoundContext& context, int count);
  /// At most `count` implementations that `context.tried` does not hold.
  Result<std::vector<Implementation>> implement(const Idea& idea, const RoundContext& context, int count);

 private:
  Result<const std::vector<PlaybookEntry>*> entries(const Operator& op);

  std::map<std::string, std::vector<PlaybookEntry>> by_operator_;
};

/// The pure heart of propose(): untried entries whose parts have passed, then tuning of survivors. At least
/// one of the answers tunes a survivor whenever something is left to tune, so that exploring never starves
/// exploiting.
std::vector<Idea> propose_ideas(const std::vector<PlaybookEntry>& entries, const RoundContext& context,
                                int count);

/// The pure heart of implement().
std::vector<Implementation> implement_idea(const std::vector<PlaybookEntry>& entries, const Idea& idea,
                                           const RoundContext& context, int count);

}  // namespace kevolve::search
