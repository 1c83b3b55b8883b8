#include "daemon/engine/ideas/backend_news.hpp"

#include <fmt/format.h>

#include <utility>

namespace kevolve::engine {

llm::BackendEvents BackendNews::events() {
  using Kind = Item::Kind;
  llm::BackendEvents events;
  events.outage_began = [this](std::string_view endpoint, std::string_view why) {
    add({Kind::outage_began, std::string(endpoint), std::string(why)});
  };
  events.outage_ended = [this](std::string_view endpoint, std::chrono::milliseconds lasted) {
    const double seconds = static_cast<double>(lasted.count()) / 1000;
    add({Kind::outage_ended, std::string(endpoint), fmt::format("{:.1f} s", seconds)});
  };
  events.noted = [this](std::string_view what) { add({Kind::noted, "", std::string(what)}); };
  return events;
}

void BackendNews::add(Item item) {
  const std::lock_guard lock(mutex_);
  items_.push_back(std::move(item));
}

std::vector<BackendNews::Item> BackendNews::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(items_, {});
}

}  // namespace kevolve::engine
