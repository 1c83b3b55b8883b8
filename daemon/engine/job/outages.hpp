#pragma once
// Outages: which endpoints of models do not answer at present, from the news of their backends. A pure value
// but for the observer that it tells.

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/report/observer.hpp"

namespace kevolve::engine {

class Outages {
 public:
  [[nodiscard]] const std::set<std::string>& away() const { return away_; }

  void pass_on(const std::vector<BackendNews::Item>& news, Observer& observer) {
    using Kind = BackendNews::Item::Kind;
    for (const BackendNews::Item& item : news) {
      if (item.kind == Kind::outage_began) {
        away_.insert(item.endpoint);
        observer.troubled(fmt::format("{} is away: {}. Its requests wait, unspent, until it answers again.",
                                      item.endpoint, item.text));
      } else if (item.kind == Kind::outage_ended) {
        away_.erase(item.endpoint);
        observer.warned(fmt::format("{} answers again, after {}", item.endpoint, item.text));
      } else {
        observer.noted(item.text);
      }
    }
  }

 private:
  std::set<std::string> away_;  ///< endpoints
};

}  // namespace kevolve::engine
