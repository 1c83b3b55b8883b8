#include "core/worker/fan_out/dealing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace kevolve::fan_out {
namespace {

/// Of one request: that many ended children prove it guilty in any case.
constexpr int kDeaths = 3;

}  // namespace

void Dealing::add(std::string id, std::string line, std::chrono::milliseconds patience) {
  waiting_.push_back({std::move(id), std::move(line), patience});
}

std::optional<std::size_t> Dealing::taker(const Request& request) const {
  const auto suits = [&](std::size_t child) {
    return children_[child].there && !(request.suspicion.deaths() > 0 && child == request.died_with);
  };
  bool others = false;
  for (std::size_t i = 0; i < children_.size(); ++i) others |= suits(i);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const Child& child = children_[i];
    if (!child.there || child.given.size() >= kMostUnanswered || (others && !suits(i))) continue;
    if (!best || child.given.size() < children_[*best].given.size()) best = i;
  }
  return best;
}

std::optional<Dealing::Turn> Dealing::next() {
  for (auto request = waiting_.begin(); request != waiting_.end(); ++request) {
    const auto child = taker(*request);
    if (!child) {
      if (request->suspicion.deaths() == 0) return std::nullopt;  // nobody has room
      continue;
    }
    Turn turn{*child, request->line};
    children_[*child].given.push_back(std::move(*request));
    waiting_.erase(request);
    return turn;
  }
  return std::nullopt;
}

bool Dealing::answered(std::size_t child, const std::string& id) {
  auto& given = children_[child].given;
  const auto found =
      std::find_if(given.begin(), given.end(), [&](const Request& request) { return request.id == id; });
  if (found == given.end()) return false;
  given.erase(found);
  ++answered_;
  return true;
}

std::optional<ErrorReply> Dealing::lost(std::size_t child, const std::string& why) {
  children_[child].there = false;
  std::deque<Request> given = std::exchange(children_[child].given, {});
  if (given.empty()) return std::nullopt;
  Request suspect = std::move(given.front());
  given.pop_front();
  waiting_.insert(waiting_.begin(), std::move_iterator(given.begin()), std::move_iterator(given.end()));
  suspect.suspicion.death(answered_);
  suspect.died_with = child;
  if (suspect.suspicion.proven(answered_, kDeaths)) {
    return ErrorReply{suspect.id,
                      fmt::format("{} worker processes ended while they worked on it; the last: {}",
                                  suspect.suspicion.deaths(), why)};
  }
  waiting_.push_back(std::move(suspect));
  return std::nullopt;
}

bool Dealing::idle() const {
  return waiting_.empty() &&
         std::all_of(children_.begin(), children_.end(), [](const Child& c) { return c.given.empty(); });
}

}  // namespace kevolve::fan_out
