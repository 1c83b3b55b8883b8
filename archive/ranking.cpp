// The best verified kernels of an Archive.

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"

namespace kevolve::archive {
namespace {

struct Ranking {
  std::int64_t id = 0;
  RankedKernel common;  ///< what all kernels of the ranking share
};

std::vector<Ranking> find_rankings(Connection& connection, const RankingQuery& query) {
  Statement rows(connection, queries::kRankings);
  rows.bind(query.operator_name, query.op, query.workload, query.device, query.precision, query.yardstick);
  std::vector<Ranking> rankings;
  while (rows.step()) {
    Ranking& ranking = rankings.emplace_back();
    RankedKernel& common = ranking.common;
    Json device;
    rows.read(ranking.id, common.op, common.operator_name, common.operator_hash, common.workload,
              common.device, device, common.precision, common.yardstick);
    const auto info = device_from_json(device);
    if (!info) throw ArchiveFailure("a device's row: " + info.error().message);
    common.device_info = *info;
  }
  return rankings;
}

void append_top(Connection& connection, const Ranking& ranking, const RankingQuery& query,
                std::vector<RankedKernel>& kernels) {
  Statement rows(connection, queries::kTopOfRanking);
  rows.bind(ranking.id, ranking.common.yardstick, query.top, query.retimed_first_among);
  for (int rank = 1; rows.step(); ++rank) {
    RankedKernel& k = kernels.emplace_back(ranking.common);
    k.rank = rank;
    Json tunables;
    rows.read(k.candidate, k.candidate_hash, k.evaluation, k.figure, k.speedup, k.speedup_low, k.median_us,
              k.low_us, k.high_us, k.yardstick_us, k.idea, k.idea_source, k.idea_key, k.idea_text,
              k.round_number, k.job, tunables);
    k.tunables = tunables.get<Bindings>();
  }
}

std::vector<RankedKernel> rank(Connection& connection, const RankingQuery& query) {
  std::vector<RankedKernel> kernels;
  for (const Ranking& ranking : find_rankings(connection, query)) {
    append_top(connection, ranking, query, kernels);
  }
  return kernels;
}

}  // namespace

Result<std::vector<RankedKernel>> Archive::best(const RankingQuery& query) {
  return impl_->read([&] { return rank(impl_->connection, query); });
}

Result<std::vector<SurvivorRecord>> Archive::survivors(const RankingQuery& query) {
  return impl_->read([&] {
    std::vector<SurvivorRecord> survivors;
    for (RankedKernel& kernel : rank(impl_->connection, query)) {
      std::string source = read_candidate(impl_->connection, kernel.candidate).source;
      survivors.push_back({std::move(kernel), std::move(source)});
    }
    return survivors;
  });
}

}  // namespace kevolve::archive
