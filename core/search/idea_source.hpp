#pragma once
// IdeaSource: who proposes ideas and carries them out. Always the same two stages: ideas in English,
// conditioned on the ledger of what was tried; then several implementations of each. Sources may block (a
// model over HTTP); the engine calls them away from its own thread. One call at a time for each source.

#include <string>
#include <vector>

#include "core/search/idea.hpp"

namespace kevolve {

class IdeaSource {
 public:
  virtual ~IdeaSource() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// At most `count` distinct ideas; fewer, or none, when the source has nothing left worth trying.
  virtual Result<std::vector<Idea>> propose(const RoundContext& context, int count) = 0;
  /// At most `count` implementations that `context.tried` does not hold.
  virtual Result<std::vector<Implementation>> implement(const Idea& idea, const RoundContext& context,
                                                        int count) = 0;
};

}  // namespace kevolve
