// SQL of the user's own: one statement that reads the archive and nothing else, within limits.

#include <fmt/format.h>
#include <sqlite3.h>

#include <cctype>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

using Clock = std::chrono::steady_clock;

/// Reading rows and calling functions is all; ATTACH, PRAGMA, writing and loading code are not.
int only_reading(void*, int action, const char*, const char* name, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return name != nullptr && std::string_view(name) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

class Guards {
 public:
  Guards(Connection& connection, Clock::time_point deadline)
      : connection_(connection), before_(connection.interrupted()) {
    sqlite3_set_authorizer(connection.handle(), only_reading, nullptr);
    connection.interrupt_when(
        [deadline, before = before_] { return Clock::now() > deadline || (before && before()); });
  }
  ~Guards() {
    sqlite3_set_authorizer(connection_.handle(), nullptr, nullptr);
    connection_.interrupt_when(before_);
  }
  Guards(const Guards&) = delete;
  Guards& operator=(const Guards&) = delete;

 private:
  Connection& connection_;
  const std::function<bool()> before_;
};

[[noreturn]] void refuse(sqlite3* handle, int code, std::string_view sql, const SqlLimits& limits) {
  const std::string said = sqlite3_errmsg(handle);
  if (code == SQLITE_INTERRUPT) {
    throw ArchiveFailure(
        fmt::format("the query was stopped after {} s; narrow it (WHERE, LIMIT) or raise the limit.",
                    std::chrono::duration<double>(limits.time).count()));
  }
  if (code == SQLITE_AUTH) {
    throw ArchiveFailure(
        fmt::format("only one SELECT that reads this archive is run ({}); nothing was changed. 'kevolve "
                    "archive' changes it.",
                    said));
  }
  const int at = sqlite3_error_offset(handle);
  std::string where;
  if (at >= 0 && static_cast<std::size_t>(at) < sql.size())
    where = fmt::format(" at '{}'", sql.substr(static_cast<std::size_t>(at), 30));
  throw ArchiveFailure(
      fmt::format("the query is wrong{}: {}. Tables and columns are in docs/archive_schema.md; 'kevolve "
                  "query \"SELECT name, sql "
                  "FROM sqlite_schema\"' lists them too.",
                  where, said));
}

Json cell(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_BLOB:
      return {{"bytes", sqlite3_column_bytes(row, column)}};
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return std::string(text == nullptr ? "" : text,
                         static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
  }
}

RawStatement prepare(sqlite3* handle, std::string_view sql, const SqlLimits& limits) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  RawStatement prepared(statement);
  if (code != SQLITE_OK) refuse(handle, code & 0xff, sql, limits);
  if (!prepared) throw ArchiveFailure("the query is empty; give one SELECT.");
  const std::string_view left(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  for (const char c : left) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != ';')
      throw ArchiveFailure(fmt::format("only one statement is run; '{}' follows it.", left.substr(0, 40)));
  }
  if (sqlite3_column_count(statement) == 0 || sqlite3_stmt_readonly(statement) == 0)
    throw ArchiveFailure("only a SELECT is run; nothing was changed.");
  return prepared;
}

}  // namespace

Result<SqlTable> Archive::select(std::string_view sql, const SqlLimits& limits) {
  return impl_->read([&] {
    sqlite3* handle = impl_->connection.handle();
    const Guards guards(impl_->connection, Clock::now() + limits.time);
    const RawStatement statement = prepare(handle, sql, limits);
    SqlTable table;
    const int columns = sqlite3_column_count(statement.get());
    for (int c = 0; c < columns; ++c) table.columns.emplace_back(sqlite3_column_name(statement.get(), c));
    for (;;) {
      const int code = sqlite3_step(statement.get());
      if (code == SQLITE_DONE) return table;
      if (code != SQLITE_ROW) refuse(handle, code & 0xff, sql, limits);
      if (static_cast<std::int64_t>(table.rows.size()) == limits.rows) {
        table.more = true;
        return table;
      }
      std::vector<Json>& row = table.rows.emplace_back();
      for (int c = 0; c < columns; ++c) row.push_back(cell(statement.get(), c));
    }
  });
}

Json to_json(const SqlTable& table) {
  Json rows = Json::array();
  for (const std::vector<Json>& cells : table.rows) {
    Json row = Json::object();
    for (std::size_t c = 0; c < cells.size(); ++c) {
      std::string key = table.columns[c];
      while (row.contains(key)) key += "'";  // two columns of one name
      row[key] = cells[c];
    }
    rows.push_back(std::move(row));
  }
  return {{"columns", table.columns}, {"rows", std::move(rows)}, {"more", table.more}};
}

}  // namespace kevolve::archive
