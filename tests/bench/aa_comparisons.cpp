// aa_comparisons REPLIES.jsonl [PAIRS]: how often a kernel is called faster than itself.
//
// The replies are of evaluations of one kernel beside itself (compare_with), each in a runner of its own.
// Their samples are cut into comparisons of PAIRS pairs (30), and each is decided by the rule by which
// champions are promoted.

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "core/gates/statistics.hpp"
#include "core/model/worker_protocol.hpp"

int main(int argc, char** argv) {
  using namespace kevolve;
  const std::size_t pairs = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 30;
  std::ifstream in(argc > 1 ? argv[1] : "");
  int comparisons = 0, wins = 0, losses = 0, runners = 0;
  double widest = 0;
  for (std::string line; std::getline(in, line);) {
    const auto reply = reply_from_line(line);
    if (!reply) continue;
    const auto* evaluation = std::get_if<EvaluationReply>(&*reply);
    if (evaluation == nullptr || evaluation->evaluation.measurements.size() < 2) continue;
    const auto& own = evaluation->evaluation.measurements[0].samples_us;
    const auto& other = evaluation->evaluation.measurements[1].samples_us;
    ++runners;
    for (std::size_t at = 0; at + pairs <= own.size(); at += pairs) {
      const std::span<const double> a(own.data() + at, pairs), b(other.data() + at, pairs);
      const Ratio forth = paired_ratio(b, a, at), back = paired_ratio(a, b, at);
      ++comparisons;
      wins += promotes(forth) ? 1 : 0;
      losses += promotes(back) ? 1 : 0;
      widest = std::max(widest, std::abs(forth.median - 1));
    }
  }
  fmt::print(
      "{} comparisons of {} pairs, {} runners: {} called a win, {} a loss; largest |ratio - 1| {:.4f}\n",
      comparisons, pairs, runners, wins, losses, widest);
  return comparisons > 0 ? 0 : 1;
}
