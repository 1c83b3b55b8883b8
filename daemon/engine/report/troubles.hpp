#pragma once
// TroubleCollector: passes every event on to another observer and remembers the warnings, for a run's
// summary.

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/engine/report/observer.hpp"

namespace kevolve::engine {

class TroubleCollector final : public Observer {
 public:
  static constexpr std::size_t kMost = 100;

  explicit TroubleCollector(Observer& next) : next_(next) {}

  void heard(const RunEvent& event) override {
    if (const auto* warned = std::get_if<events::Warned>(&event)) note(warned->what);
    if (const auto* troubled = std::get_if<events::Troubled>(&event)) note(troubled->what);
    next_.heard(event);
  }

  /// Each once, in the order in which they came: the first kMost.
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }
  void note(std::string_view what) {
    if (troubles_.size() < kMost && std::find(troubles_.begin(), troubles_.end(), what) == troubles_.end())
      troubles_.emplace_back(what);
  }

 private:
  Observer& next_;
  std::vector<std::string> troubles_;
};

}  // namespace kevolve::engine
