// aa_comparisons REPLIES.jsonl [PAIRS] [RUNNERS]: how often a kernel is called faster than itself.
//
// The replies are of evaluations of one kernel beside itself (compare_with, fresh_draws), each of a fresh
// pair of runners. Their samples are cut into blocks of PAIRS pairs (30). First each block is decided alone;
// then 1000 times RUNNERS evaluations (3) are drawn, and a block of each, and these are decided by the rule
// by which champions are promoted.

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "core/gates/statistics.hpp"
#include "core/model/worker_protocol.hpp"

namespace {

using kevolve::Measurement;
using Samples = std::vector<double>;

struct PairOfRunners {
  Samples own_us, other_us;
};

std::vector<PairOfRunners> read(const char* file) {
  std::vector<PairOfRunners> runners;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto reply = kevolve::reply_from_line(line);
    if (!reply) continue;
    const auto* evaluation = std::get_if<kevolve::EvaluationReply>(&*reply);
    if (evaluation == nullptr || evaluation->evaluation.measurements.size() < 2) continue;
    const auto& measurements = evaluation->evaluation.measurements;
    runners.push_back({measurements[0].samples_us, measurements[1].samples_us});
  }
  return runners;
}

Samples block(const Samples& all, std::size_t number, std::size_t pairs) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(number * pairs);
  return {begin, begin + static_cast<std::ptrdiff_t>(pairs)};
}

}  // namespace

int main(int argc, char** argv) {
  using namespace kevolve;
  const std::size_t pairs = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 30;
  const std::size_t together = argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : 3;
  const auto runners = read(argc > 1 ? argv[1] : "");
  if (runners.size() < together) return 1;
  const std::size_t blocks = runners[0].own_us.size() / pairs;

  int alone = 0, wins_alone = 0;
  for (const PairOfRunners& pair : runners) {
    for (std::size_t b = 0; b < blocks; ++b, ++alone)
      wins_alone += gates::promotes(
                        gates::paired_ratio(block(pair.other_us, b, pairs), block(pair.own_us, b, pairs), b))
                        ? 1
                        : 0;
  }
  fmt::print("{} pairs of runners; one pair alone: {} of {} comparisons called a win\n", runners.size(),
             wins_alone, alone);

  std::mt19937_64 random(1);
  int wins = 0;
  constexpr int kComparisons = 1000;
  for (int i = 0; i < kComparisons; ++i) {
    std::vector<PairOfRunners> drawn;
    std::sample(runners.begin(), runners.end(), std::back_inserter(drawn), together, random);
    Samples own_us, other_us;
    std::vector<gates::Ratio> ratios;
    for (const PairOfRunners& pair : drawn) {
      const std::size_t b = random() % blocks;
      const Samples mine = block(pair.own_us, b, pairs), theirs = block(pair.other_us, b, pairs);
      ratios.push_back(gates::paired_ratio(theirs, mine, b));
      own_us.insert(own_us.end(), mine.begin(), mine.end());
      other_us.insert(other_us.end(), theirs.begin(), theirs.end());
    }
    wins +=
        gates::promotes(gates::paired_ratio(other_us, own_us, static_cast<std::uint64_t>(i)), ratios) ? 1 : 0;
  }
  fmt::print("{} pairs of runners together, as for a promotion: {} of {} comparisons called a win\n",
             together, wins, kComparisons);
}
