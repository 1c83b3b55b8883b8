// How large an archive is, and of what.

#include <algorithm>
#include <array>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

constexpr std::array kListedTables = {"operators",    "devices",     "jobs",         "runs",     "rounds",
                                      "ideas",        "sources",     "candidates",   "lineage",  "exchanges",
                                      "prompt_texts", "evaluations", "measurements", "profiles", "rankings",
                                      "standings",    "champions"};
/// Those that stay short are counted; the others have tallies.
constexpr std::array<std::string_view, 7> kShort = {"operators", "devices",  "jobs",     "runs",
                                                    "rounds",    "rankings", "champions"};

std::int64_t rows_of(Connection& connection, const char* table) {
  if (std::ranges::find(kShort, table) != kShort.end())
    return connection.integer(std::string("SELECT count(*) FROM ") + table);
  Statement query(connection, "SELECT coalesce(sum(n), 0) FROM tallies WHERE what = ?1");
  query.bind(std::string_view(table)).step();
  std::int64_t rows = 0;
  query.read(rows);
  return rows;
}

std::int64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

std::vector<OperatorSize> operator_sizes(Connection& connection) {
  Statement rows(connection, R"sql(
      SELECT o.name, count(*), sum(n.ideas), sum(n.candidates), sum(n.evaluations), sum(n.verified)
        FROM operators o
        JOIN (SELECT id,
                     (SELECT coalesce(sum(n), 0) FROM tallies WHERE what = 'ideas' AND operator = id) AS ideas,
                     (SELECT coalesce(sum(n), 0) FROM tallies WHERE what = 'candidates' AND operator = id) AS candidates,
                     (SELECT coalesce(sum(n), 0) FROM tallies WHERE what = 'evaluations' AND operator = id) AS evaluations,
                     (SELECT coalesce(sum(n), 0) FROM tallies
                       WHERE what = 'standings' AND operator = id AND outcome = 'verified') AS verified
                FROM operators) n ON n.id = o.id
       GROUP BY o.name ORDER BY o.name)sql");
  std::vector<OperatorSize> sizes;
  while (rows.step()) {
    OperatorSize& size = sizes.emplace_back();
    rows.read(size.name, size.versions, size.ideas, size.candidates, size.evaluations, size.verified);
  }
  return sizes;
}

}  // namespace

std::int64_t ArchiveInfo::rows(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &TableSize::table);
  return found == tables.end() ? 0 : found->rows;
}

double ArchiveInfo::bytes_per_evaluation() const {
  const std::int64_t evaluations = rows("evaluations");
  return evaluations == 0 ? 0
                          : static_cast<double>(file_bytes - free_bytes) / static_cast<double>(evaluations);
}

Result<ArchiveInfo> Archive::info() {
  return impl_->read([this] {
    Connection& connection = impl_->connection;
    ArchiveInfo info;
    info.uid = connection.text("SELECT uid FROM identity");
    info.schema = connection.integer("PRAGMA user_version");
    const std::int64_t page = connection.integer("PRAGMA page_size");
    info.file_bytes = connection.integer("PRAGMA page_count") * page;
    info.free_bytes = connection.integer("PRAGMA freelist_count") * page;
    info.journal_bytes = size_of(path().string() + "-wal");
    for (const char* table : kListedTables) info.tables.push_back({table, rows_of(connection, table)});
    info.operators = operator_sizes(connection);
    // Row numbers follow time, but for merged rows: the first and last rows' times do for an overview.
    Statement times(connection, R"sql(
        SELECT (SELECT evaluated_at_ms FROM evaluations ORDER BY id LIMIT 1),
               (SELECT evaluated_at_ms FROM evaluations ORDER BY id DESC LIMIT 1))sql");
    times.step();
    times.read(info.oldest, info.newest);
    if (info.oldest && info.newest && *info.newest < *info.oldest) std::swap(info.oldest, info.newest);
    return info;
  });
}

Json to_json(const ArchiveInfo& info) {
  Json tables = Json::object(), operators = Json::array();
  for (const TableSize& size : info.tables) tables[size.table] = size.rows;
  for (const OperatorSize& size : info.operators) {
    operators.push_back({{"name", size.name},
                         {"versions", size.versions},
                         {"ideas", size.ideas},
                         {"candidates", size.candidates},
                         {"evaluations", size.evaluations},
                         {"verified", size.verified}});
  }
  return {{"uid", info.uid},
          {"schema", info.schema},
          {"file_bytes", info.file_bytes},
          {"journal_bytes", info.journal_bytes},
          {"free_bytes", info.free_bytes},
          {"bytes_per_evaluation", info.bytes_per_evaluation()},
          {"rows", std::move(tables)},
          {"operators", std::move(operators)},
          {"oldest_evaluation", info.oldest ? Json(to_iso8601(*info.oldest)) : Json()},
          {"newest_evaluation", info.newest ? Json(to_iso8601(*info.newest)) : Json()}};
}

}  // namespace kevolve::archive
