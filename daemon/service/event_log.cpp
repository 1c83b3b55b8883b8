#include "daemon/service/event_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <random>

namespace kevolve::service {
namespace {

std::string now() {
  using namespace std::chrono;
  const auto point = system_clock::now();
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(point.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(point)),
                     milliseconds);
}

std::string new_life() {
  std::random_device random;
  return fmt::format("{:08x}", random());
}

}  // namespace

EventLog::EventLog(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)), life_(new_life()) {}

void EventLog::append(std::string_view type, std::string_view job, Json data) {
  auto event = std::make_shared<Event>();
  event->at = now();
  event->type = type;
  event->job = job;
  event->data = std::move(data);
  const std::lock_guard lock(mutex_);
  event->number = ++last_;
  events_.push_back(std::move(event));
  if (events_.size() > capacity_) events_.pop_front();
  for (const auto& [id, wake] : followers_) wake();
}

EventLog::Slice EventLog::after(std::uint64_t number, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Slice slice;
  const std::uint64_t first = last_ - events_.size() + 1;  // the oldest that is still known
  slice.gap = number + 1 < first;
  if (number >= last_) return slice;
  const std::size_t start = slice.gap ? 0 : static_cast<std::size_t>(number + 1 - first);
  const std::size_t count = std::min(limit, events_.size() - start);
  slice.events.assign(events_.begin() + static_cast<std::ptrdiff_t>(start),
                      events_.begin() + static_cast<std::ptrdiff_t>(start + count));
  return slice;
}

std::uint64_t EventLog::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::string EventLog::id(std::uint64_t number) const {
  return fmt::format("{}-{}", life_, number);
}

std::optional<std::uint64_t> EventLog::number(std::string_view id) const {
  if (id.size() <= life_.size() + 1 || !id.starts_with(life_) || id[life_.size()] != '-') return std::nullopt;
  id.remove_prefix(life_.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  return number;
}

int EventLog::follow(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  followers_.emplace(next_follower_, std::move(wake));
  return next_follower_++;
}

void EventLog::unfollow(int follower) {
  const std::lock_guard lock(mutex_);
  followers_.erase(follower);
}

}  // namespace kevolve::service
