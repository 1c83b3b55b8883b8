#include "archive/records.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace kevolve::archive {

std::string to_iso8601(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::tm utc = fmt::gmtime(std::chrono::system_clock::to_time_t(seconds));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, (time - seconds).count());
}

std::string_view name(JobState state) {
  switch (state) {
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::paused:
      return "paused";
    case JobState::finished:
      return "finished";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
  }
  return "";
}

std::string_view name(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::failed:
      return "failed";
    case RunState::interrupted:
      return "interrupted";
  }
  return "";
}

std::string_view name(RoundState state) {
  switch (state) {
    case RoundState::open:
      return "open";
    case RoundState::finished:
      return "finished";
  }
  return "";
}

std::string_view name(CandidateState state) {
  switch (state) {
    case CandidateState::proposed:
      return "proposed";
    case CandidateState::evaluating:
      return "evaluating";
    case CandidateState::evaluated:
      return "evaluated";
  }
  return "";
}

std::string_view name(Purpose purpose) {
  switch (purpose) {
    case Purpose::search:
      return "search";
    case Purpose::manual:
      return "manual";
    case Purpose::retime:
      return "retime";
    case Purpose::verify:
      return "verify";
  }
  return "";
}

std::string_view name(Figure figure) {
  switch (figure) {
    case Figure::retimed:
      return "retimed";
    case Figure::search:
      return "search";
  }
  return "";
}

int Funnel::stopped_at(Gate gate) const {
  int count = 0;
  for (const Stop& stop : stops)
    count += stop.gate == gate && stop.outcome != Outcome::passed ? stop.candidates : 0;
  return count;
}

int Funnel::passed() const {
  int count = 0;
  for (const Stop& stop : stops) count += stop.outcome == Outcome::passed ? stop.candidates : 0;
  return count;
}

}  // namespace kevolve::archive
