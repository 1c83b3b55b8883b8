#include "daemon/cli/progress.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

std::string as_json_string(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

}  // namespace

// ---------------------------------------------------------------------------------------------- lines

void LogProgress::line(const std::string& text) {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  fmt::print(out_, "time={:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
             text);
  std::fflush(out_);
}

void LogProgress::tell(const engine::events::RunStarted& e) {
  const auto& [job, device] = e;
  line(fmt::format("event=run_started job={} device={} model={} operators={} rounds={}", job.name,
                   device.name, as_json_string(device.model), job.operators.size(), job.policy.rounds));
}

void LogProgress::tell(const engine::events::Seeded& e) {
  const engine::OperatorSummary& naive = e.naive;
  line(fmt::format("event=seeded operator={} workload={} naive_us={:.1f} eager_us={:.1f} best_us={:.1f}",
                   naive.label, naive.workload, naive.naive_us, naive.eager_us, naive.best_us));
}

void LogProgress::tell(const engine::events::RoundStarted& e) {
  const auto& [op, round, ideas] = e;
  line(fmt::format("event=round_started operator={} round={} ideas={}", op, round, ideas.size()));
  for (const std::string& idea : ideas)
    line(fmt::format("event=idea operator={} round={} text={}", op, round, as_json_string(idea)));
}

void LogProgress::tell(const engine::events::Evaluated& e) {
  const auto& [op, round, candidate, idea_key, evaluation] = e;
  std::string text =
      fmt::format("event=evaluated operator={} round={} candidate={} idea={} outcome={} gate={}", op, round,
                  candidate.substr(0, 12), as_json_string(idea_key), name(evaluation.verdict.outcome),
                  name(evaluation.verdict.gate));
  if (const Measurement* m = evaluation.measurement(subjects::kCandidate)) {
    text += fmt::format(" median_us={:.1f} speedup={:.3f}", m->median_us, evaluation.speedup);
  }
  if (!evaluation.verdict.passed())
    text += fmt::format(" evidence={}", as_json_string(first_line(evaluation.verdict.evidence)));
  line(text);
}

void LogProgress::tell(const engine::events::Promoted& e) {
  const engine::OperatorSummary& champion = e.champion;
  line(fmt::format(
      "event=promoted operator={} round={} candidate={} idea={} best_us={:.1f} speedup={:.3f} "
      "at_least={:.3f}",
      champion.label, champion.round, champion.candidate_hash.substr(0, 12),
      as_json_string(champion.idea_key), champion.best_us, champion.speedup, champion.speedup_low));
}

void LogProgress::tell(const engine::events::OperatorStopped& e) {
  const engine::OperatorSummary& summary = e.summary;
  line(fmt::format("event=operator_stopped operator={} rounds={} reason={}", summary.label, summary.rounds,
                   as_json_string(summary.note)));
}

void LogProgress::tell(const engine::events::Warned& e) {
  line(fmt::format("event=warning text={}", as_json_string(e.what)));
}

void LogProgress::tell(const engine::events::Noted& e) {
  line(fmt::format("event=note text={}", as_json_string(e.what)));
}

void LogProgress::tell(const engine::events::Exchanged& e) {
  const auto& [op, round, x] = e;
  std::string text = fmt::format(
      "event=exchange operator={} round={} slot={} source={} model={} outcome={} attempts={} "
      "latency_ms={:.0f} "
      "input_tokens={} output_tokens={}",
      op, round, x.slot, x.source, x.model, x.outcome, x.attempts, x.latency_ms, x.input_tokens,
      x.output_tokens);
  if (x.cost_usd) text += fmt::format(" cost_usd={:.6f}", *x.cost_usd);
  line(text);
}

void LogProgress::tell(const engine::events::RunEnded& e) {
  const engine::RunSummary& summary = e.summary;
  line(fmt::format("event=run_ended job={} evaluations={} wall_s={:.1f} ended_by={}", summary.job,
                   summary.evaluations, summary.wall_seconds, as_json_string(summary.ended_by)));
}

// ----------------------------------------------------------------------------------------------- live

LiveProgress::Row& LiveProgress::row(std::string_view op) {
  for (Row& row : rows_) {
    if (row.summary.label == op) return row;
  }
  rows_.emplace_back().summary.label = op;
  return rows_.back();
}

std::string LiveProgress::head() const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  std::string text =
      fmt::format("{} on {}   {:.0f} s   {} evaluations", job_.name, device_.model, elapsed, evaluations_);
  if (exchanges_ > 0) text += fmt::format("   {} exchanges, {:.2f} USD", exchanges_, usd_);
  if (job_.budget.evaluations) text += fmt::format(" of {}", *job_.budget.evaluations);
  if (job_.budget.wall_seconds)
    text += fmt::format("   {:.0f} s left", std::max(0.0, *job_.budget.wall_seconds - elapsed));
  return text;
}

std::string LiveProgress::describe(const Row& row) const {
  int tried = row.passed;
  std::string funnel;
  for (const auto& [gate, count] : row.stopped) {
    funnel += fmt::format(" {} -{}", name(gate), count);
    tried += count;
  }
  return fmt::format("{:<22} round {:<2} {:>3} tried{}, {} verified   naive {}  best {} ({:.2f} x) {}  {}",
                     row.summary.label, row.round, tried, funnel, row.passed, in_time(row.summary.naive_us),
                     in_time(row.summary.best_us), row.summary.speedup, row.summary.idea_key, row.state);
}

void LiveProgress::redraw() {
  const std::size_t width = terminal_width();
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}A\x1b[J", drawn_);
  text += "\x1b[1m" + head().substr(0, width) + "\x1b[0m\n";
  for (const Row& row : rows_) text += describe(row).substr(0, width) + "\n";
  drawn_ = rows_.size() + 1;
  fmt::print(out_, "{}", text);
  std::fflush(out_);
}

void LiveProgress::say(const std::string& news) {
  if (drawn_ > 0) fmt::print(out_, "\x1b[{}A\x1b[J", drawn_);
  drawn_ = 0;
  fmt::print(out_, "{}\n", news);
  redraw();
}

void LiveProgress::tell(const engine::events::RunStarted& e) {
  const auto& [job, device] = e;
  job_ = job;
  device_ = device;
  redraw();
}

void LiveProgress::tell(const engine::events::Seeded& e) {
  const engine::OperatorSummary& naive = e.naive;
  row(naive.label).summary = naive;
  redraw();
}

void LiveProgress::tell(const engine::events::RoundStarted& e) {
  const auto& [op, round, ideas] = e;
  row(op).round = round;
  const std::size_t room = terminal_width() - 4;
  for (const std::string& idea : ideas) {
    std::string text = fmt::format("{} round {}: {}", op, round, idea);
    if (text.size() > room) text = text.substr(0, room) + " …";
    say(text);
  }
}

void LiveProgress::tell(const engine::events::Evaluated& e) {
  const Evaluation& evaluation = e.evaluation;
  ++evaluations_;
  if (evaluation.verdict.passed()) {
    ++row(e.op).passed;
  } else {
    ++row(e.op).stopped[evaluation.verdict.gate];
  }
  redraw();
}

void LiveProgress::tell(const engine::events::Promoted& e) {
  const engine::OperatorSummary& champion = e.champion;
  row(champion.label).summary = champion;
  say(fmt::format("\x1b[32m{}: new best {} = {:.2f} x {}, '{}' {}\x1b[0m", champion.label,
                  in_time(champion.best_us), champion.speedup, champion.yardstick, champion.idea_key,
                  in_tunables(champion.tunables)));
}

void LiveProgress::tell(const engine::events::OperatorStopped& e) {
  const engine::OperatorSummary& summary = e.summary;
  row(summary.label).state = "stopped";
  say(fmt::format("{} stopped after round {}: {}", summary.label, summary.rounds, summary.note));
}

void LiveProgress::tell(const engine::events::Exchanged& e) {
  ++exchanges_;
  usd_ += e.exchange.cost_usd.value_or(0);
  redraw();
}

void LiveProgress::tell(const engine::events::Warned& e) {
  say(fmt::format("\x1b[33mwarning: {}\x1b[0m", e.what));
}

void LiveProgress::tell(const engine::events::RunEnded& e) {
  const engine::RunSummary& summary = e.summary;
  say(fmt::format("{} evaluations in {:.0f} s; {}", summary.evaluations, summary.wall_seconds,
                  summary.ended_by));
}

std::unique_ptr<engine::Observer> make_progress(bool force_lines) {
  if (!force_lines && ::isatty(STDOUT_FILENO) == 1) return std::make_unique<LiveProgress>(stdout);
  return std::make_unique<LogProgress>(stdout);
}

}  // namespace kevolve::cli
