#pragma once
// How a run is shown: a live picture on a terminal, or one key=value line per event in a log. Both are
// Observers of the engine's thread and write to stdout.

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/engine/report/observer.hpp"

namespace kevolve::cli {

/// One line per event: time=… event=evaluated operator=layernorm …
class LogProgress final : public engine::Observer {
 public:
  explicit LogProgress(std::FILE* out) : out_(out) {}
  void heard(const engine::RunEvent& event) override {
    std::visit([this](const auto& e) { tell(e); }, event);
  }

 private:
  void tell(const engine::events::RunStarted& e);
  void tell(const engine::events::Seeded& e);
  void tell(const engine::events::RoundStarted& e);
  void tell(const engine::events::Evaluated& e);
  void tell(const engine::events::Promoted& e);
  void tell(const engine::events::OperatorStopped& e);
  void tell(const engine::events::Exchanged& e);
  void tell(const engine::events::Warned& e);
  void tell(const engine::events::Troubled& e) { tell(engine::events::Warned{e.what}); }
  void tell(const engine::events::Noted& e);
  void tell(const engine::events::RunEnded& e);
  void line(const std::string& text);
  std::FILE* out_;
};

/// A block of lines, one for each operator, redrawn in place: round, gate funnel, best so far; above it
/// budget and time left, and news scrolling by.
class LiveProgress final : public engine::Observer {
 public:
  explicit LiveProgress(std::FILE* out) : out_(out) {}
  void heard(const engine::RunEvent& event) override {
    std::visit([this](const auto& e) { tell(e); }, event);
  }

 private:
  void tell(const engine::events::RunStarted& e);
  void tell(const engine::events::Seeded& e);
  void tell(const engine::events::RoundStarted& e);
  void tell(const engine::events::Evaluated& e);
  void tell(const engine::events::Promoted& e);
  void tell(const engine::events::OperatorStopped& e);
  void tell(const engine::events::Exchanged& e);
  void tell(const engine::events::Warned& e);
  void tell(const engine::events::Troubled& e) { tell(engine::events::Warned{e.what}); }
  void tell(const engine::events::Noted&) {}
  void tell(const engine::events::RunEnded& e);

  struct Row {
    engine::OperatorSummary summary;
    int round = 0;
    std::map<Gate, int> stopped;
    int passed = 0;
    std::string state;
  };
  Row& row(std::string_view op);
  void say(const std::string& news);
  void redraw();
  [[nodiscard]] std::string head() const;
  [[nodiscard]] std::string describe(const Row& row) const;

  std::FILE* out_;
  Job job_;
  DeviceInfo device_;
  std::vector<Row> rows_;
  int evaluations_ = 0, exchanges_ = 0;
  double usd_ = 0;
  std::size_t drawn_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// Live when stdout is a terminal, otherwise lines.
std::unique_ptr<engine::Observer> make_progress(bool force_lines);

}  // namespace kevolve::cli
