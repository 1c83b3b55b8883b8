// An archive as JSON Lines, and back (docs/archive_schema.md, "JSON Lines").

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/schema.hpp"

namespace kevolve::archive {
namespace {

constexpr std::string_view kFormat = "kevolve archive";
constexpr int kFormatVersion = 1;

struct Table {
  std::string_view name;
  std::string_view order;  ///< its primary key
};

constexpr std::array<Table, 20> kTables = {{
    {"identity", "one"},
    {"operators", "id"},
    {"devices", "id"},
    {"jobs", "id"},
    {"job_documents", "job, version"},
    {"runs", "id"},
    {"rounds", "id"},
    {"prompt_texts", "id"},
    {"exchanges", "id"},
    {"exchange_messages", "exchange, ordinal"},
    {"ideas", "id"},
    {"sources", "id"},
    {"candidates", "id"},
    {"idea_parents", "idea, ordinal"},
    {"lineage", "child, ordinal"},
    {"evaluations", "id"},
    {"measurements", "evaluation, ordinal"},
    {"profiles", "evaluation"},
    {"rankings", "id"},
    {"standings", "ranking, candidate_hash"},
}};
constexpr Table kChampions = {"champions", "id"};

bool holds_texts(std::string_view table) {
  return table == "sources" || table == "prompt_texts";
}

RawStatement prepare(sqlite3* handle, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    throw ArchiveFailure(fmt::format("SQLite: {} [{}]", sqlite3_errmsg(handle), sql));
  return RawStatement(statement);
}

// --- values --------------------------------------------------------------------------------------

Json in_hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return {{"hex", std::move(hex)}};
}

std::optional<std::string> from_hex(const std::string& hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (std::isxdigit(static_cast<unsigned char>(hex[i])) == 0 ||
        std::isxdigit(static_cast<unsigned char>(hex[i + 1])) == 0)
      return std::nullopt;
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// Samples as numbers; a blob that is not finite doubles in hex.
Json blob_json(std::string_view bytes) {
  std::vector<double> values(bytes.size() / sizeof(double));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  const bool finite = std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
  return bytes.size() % sizeof(double) == 0 && finite ? Json(values) : in_hex(bytes);
}

Json text_json(std::string_view text) {
  Json json = std::string(text);
  try {
    (void)json.dump();
    return json;
  } catch (const Json::exception&) {
    return in_hex(text);  // not UTF-8
  }
}

Json value_json(sqlite3_stmt* row, int column) {
  const auto bytes = [&](const void* data) {
    return std::string_view(
        static_cast<const char*>(data),
        data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
  };
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT: {
      const double value = sqlite3_column_double(row, column);
      return std::isfinite(value) ? Json(value)
                                  : in_hex({reinterpret_cast<const char*>(&value), sizeof value});
    }
    case SQLITE_NULL:
      return nullptr;
    case SQLITE_BLOB:
      return blob_json(bytes(sqlite3_column_blob(row, column)));
    default:
      return text_json(bytes(sqlite3_column_text(row, column)));
  }
}

struct Column {
  std::string name, type;
};

/// Fails on a value that cannot be one of the column's; SQLite's STRICT tables refuse the rest.
void bind_value(sqlite3_stmt* statement, int index, const Column& column, const Json& value) {
  const auto wrong = [&] {
    throw ArchiveFailure(
        fmt::format("'{}' is {}, expected {}", column.name, value.dump().substr(0, 40), column.type));
  };
  if (value.is_null()) {
    sqlite3_bind_null(statement, index);
  } else if (value.is_array()) {
    const auto numbers = [&] {
      std::vector<double> list;
      for (const Json& number : value) {
        if (!number.is_number()) wrong();
        list.push_back(number.get<double>());
      }
      return list;
    }();
    sqlite3_bind_blob64(statement, index, numbers.empty() ? static_cast<const void*>("") : numbers.data(),
                        numbers.size() * sizeof(double), SQLITE_TRANSIENT);
  } else if (value.is_object()) {
    const auto hex = value.find("hex");
    const auto bytes =
        hex != value.end() && hex->is_string() ? from_hex(hex->get<std::string>()) : std::nullopt;
    if (!bytes) wrong();
    if (column.type == "TEXT") {
      sqlite3_bind_text64(statement, index, bytes->data(), bytes->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (column.type == "REAL" && bytes->size() == sizeof(double)) {
      double number = 0;
      std::memcpy(&number, bytes->data(), sizeof number);
      sqlite3_bind_double(statement, index, number);
    } else {
      sqlite3_bind_blob64(statement, index, bytes->data(), bytes->size(), SQLITE_TRANSIENT);
    }
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else if (value.is_number_integer()) {
    sqlite3_bind_int64(statement, index, value.get<std::int64_t>());
  } else if (value.is_number_float()) {
    sqlite3_bind_double(statement, index, value.get<double>());
  } else {
    wrong();
  }
}

// --- out -----------------------------------------------------------------------------------------

class Writer {
 public:
  Writer(Connection& connection, const std::function<bool(std::string_view)>& write)
      : connection_(connection), write_(write) {}

  void line(const Json& json) {
    if (!write_(json.dump() + "\n"))
      throw ArchiveFailure(
          "the export could not be written; is the disk full? What was written is incomplete.");
  }

  void table(const Table& table) {
    const std::string columns =
        holds_texts(table.name) ? "id, sha256, kevolve_unpack(packed, text) AS text" : "*";
    const RawStatement rows = prepare(
        connection_.handle(), fmt::format("SELECT {} FROM {} ORDER BY {}", columns, table.name, table.order));
    for (int code = sqlite3_step(rows.get()); code != SQLITE_DONE; code = sqlite3_step(rows.get())) {
      if (code != SQLITE_ROW) throw ArchiveFailure(sqlite3_errmsg(connection_.handle()));
      Json row = Json::object();
      for (int c = 0; c < sqlite3_column_count(rows.get()); ++c)
        row[sqlite3_column_name(rows.get(), c)] = value_json(rows.get(), c);
      line({{"table", table.name}, {"row", std::move(row)}});
      ++count;
    }
  }

  std::int64_t count = 0;

 private:
  Connection& connection_;
  const std::function<bool(std::string_view)>& write_;
};

// --- in ------------------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}

  void row(const std::string& table, const Json& row) {
    const bool known = table == kChampions.name ||
                       std::ranges::any_of(kTables, [&](const Table& t) { return t.name == table; });
    if (!known) throw ArchiveFailure(fmt::format("there is no table '{}' in an archive", table));
    if (table == "identity") return identity(row);
    const Insertion& insertion = insertion_for(table, row);
    sqlite3_stmt* statement = insertion.statement.get();
    int index = 0;
    for (const auto& [key, value] : row.items())
      bind_value(statement, index + 1, insertion.columns[static_cast<std::size_t>(index)], value), ++index;
    const int code = sqlite3_step(statement);
    const std::string said = sqlite3_errmsg(connection_.handle());
    sqlite3_reset(statement);
    if (code != SQLITE_DONE) throw ArchiveFailure(fmt::format("the row of '{}' is refused: {}", table, said));
    ++count;
  }

  std::int64_t count = 0;

 private:
  struct Insertion {
    RawStatement statement;
    std::vector<Column> columns;
  };

  void identity(const Json& row) {
    if (!row.contains("uid") || !row.at("uid").is_string() || !row.contains("created_at_ms") ||
        !row.at("created_at_ms").is_number_integer())
      throw ArchiveFailure("the row of 'identity' lacks uid or created_at_ms");
    Statement(connection_, "UPDATE identity SET uid = ?1, created_at_ms = ?2")
        .bind(row.at("uid").get<std::string>(), row.at("created_at_ms").get<std::int64_t>())
        .run();
    ++count;
  }

  const std::vector<Column>& columns_of(const std::string& table) {
    std::vector<Column>& columns = columns_[table];
    if (!columns.empty()) return columns;
    Statement rows(connection_, "SELECT name, type FROM pragma_table_info(?1)");
    rows.bind(table);
    while (rows.step()) {
      Column& column = columns.emplace_back();
      rows.read(column.name, column.type);
    }
    return columns;
  }

  const Insertion& insertion_for(const std::string& table, const Json& row) {
    std::string names;
    for (const auto& [key, value] : row.items()) names += key + "\n";
    Insertion& insertion = insertions_[table + "\n" + names];
    if (insertion.statement) return insertion;
    std::string list, values;
    for (const auto& [key, value] : row.items()) {
      const std::vector<Column>& columns = columns_of(table);
      const auto column = std::ranges::find(columns, key, &Column::name);
      if (column == columns.end())
        throw ArchiveFailure(
            fmt::format("table '{}' has no column '{}'; was this written by a newer kevolve?", table, key));
      insertion.columns.push_back(*column);
      const auto index = insertion.columns.size();
      list += fmt::format("{}{}", list.empty() ? "" : ", ", key);
      const bool text = holds_texts(table) && key == "text";
      values +=
          fmt::format("{}{}", values.empty() ? "" : ", ",
                      text ? fmt::format("CASE WHEN kevolve_pack(?{0}) IS NULL THEN ?{0} ELSE '' END", index)
                           : fmt::format("?{}", index));
      if (text) {
        list += ", packed";
        values += fmt::format(", kevolve_pack(?{})", index);
      }
    }
    insertion.statement =
        prepare(connection_.handle(), fmt::format("INSERT INTO {} ({}) VALUES ({})", table, list, values));
    return insertion;
  }

  Connection& connection_;
  std::map<std::string, Insertion> insertions_;
  std::map<std::string, std::vector<Column>> columns_;
};

void check_header(const Json& line) {
  if (!line.is_object() || line.value("format", "") != kFormat) {
    throw ArchiveFailure(
        fmt::format("line 1 is not the beginning of an export: expected {{\"format\":\"{}\", …}}, as "
                    "'kevolve archive export' writes",
                    kFormat));
  }
  const int version = line.value("version", 0);
  const int schema = line.value("schema", 0);
  if (version != kFormatVersion || schema > static_cast<int>(migrations().size()))
    throw ArchiveFailure(
        fmt::format("it was exported by a newer kevolve (format {}, schema {}); this one knows {} and {}",
                    version, schema, kFormatVersion, migrations().size()));
}

void require_empty(Connection& connection) {
  for (const Table& table : kTables) {
    if (table.name == "identity") continue;
    if (connection.integer(fmt::format("SELECT EXISTS (SELECT 1 FROM {})", table.name)) != 0)
      throw ArchiveFailure(fmt::format(
          "it has rows already ('{}'); import into a new file, then 'kevolve archive merge' that.",
          table.name));
  }
}

std::int64_t read_all(Connection& connection, const std::function<bool(std::string&)>& read) {
  Reader reader(connection);
  std::string text;
  bool ended = false;
  std::int64_t number = 0;
  while (read(text)) {
    ++number;
    try {
      if (text.empty()) continue;
      const Json line = Json::parse(text, nullptr, false);
      if (line.is_discarded()) throw ArchiveFailure("it is not JSON");
      if (ended) throw ArchiveFailure("there is more after the end");
      if (number == 1) {
        check_header(line);
      } else if (line.is_object() && line.contains("end")) {
        ended = true;
        if (line.at("end").value("rows", std::int64_t{-1}) != reader.count)
          throw ArchiveFailure(fmt::format("{} rows were read, and it says {}: lines are missing",
                                           reader.count, line.at("end").dump()));
      } else if (line.is_object() && line.contains("table") && line.at("table").is_string() &&
                 line.contains("row") && line.at("row").is_object()) {
        reader.row(line.at("table").get<std::string>(), line.at("row"));
      } else {
        throw ArchiveFailure("expected an object with table and row");
      }
    } catch (const ArchiveFailure& error) {
      throw ArchiveFailure(fmt::format("line {}: {}. Nothing was imported.", number, error.what()));
    }
  }
  if (!ended)
    throw ArchiveFailure(
        fmt::format("the export ends after line {} without its last line: it is cut short. Nothing was "
                    "imported.",
                    number));
  return reader.count;
}

}  // namespace

Result<void> Archive::export_lines(const std::function<bool(std::string_view)>& write) {
  return impl_->read([&] {
    Writer writer(impl_->connection, write);
    writer.line({{"format", kFormat}, {"version", kFormatVersion}, {"schema", migrations().size()}});
    for (const Table& table : kTables) writer.table(table);
    writer.table(kChampions);
    writer.line({{"end", {{"rows", writer.count}}}});
  });
}

Result<std::int64_t> Archive::import_lines(const std::function<bool(std::string&)>& read) {
  return impl_->write([&] {
    Connection& connection = impl_->connection;
    require_empty(connection);
    connection.execute("PRAGMA defer_foreign_keys = ON");  // candidates and evaluations name each other
    return read_all(connection, read);
  });
}

}  // namespace kevolve::archive
