#include "archive/statement.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <bit>
#include <cstring>

namespace kevolve::archive {

static_assert(std::endian::native == std::endian::little, "samples are stored as little-endian f64");

void unknown_name(std::string_view name) {
  throw ArchiveFailure(
      fmt::format("a row holds the name '{}', which this version does not know; the archive is damaged "
                  "or was written by a newer kevolve.",
                  name));
}

template <>
Gate enum_from_name<Gate>(std::string_view text) {
  if (const auto gate = gate_from_name(text)) return *gate;
  unknown_name(text);
}

template <>
Outcome enum_from_name<Outcome>(std::string_view text) {
  if (const auto outcome = outcome_from_name(text)) return *outcome;
  unknown_name(text);
}

template <>
Relation enum_from_name<Relation>(std::string_view text) {
  if (const auto relation = relation_from_name(text)) return *relation;
  unknown_name(text);
}

template <>
PrecisionClass enum_from_name<PrecisionClass>(std::string_view text) {
  if (const auto precision = precision_from_name(text)) return *precision;
  unknown_name(text);
}

Statement::Statement(Connection& connection, std::string_view sql)
    : connection_(connection), sql_(sql), handle_(connection.take(sql)) {}

Statement::~Statement() {
  connection_.give_back(sql_, handle_);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail();
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::put(int index, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, index, value) != SQLITE_OK) connection_.fail();
}

void Statement::put(int index, double value) {
  if (sqlite3_bind_double(handle_, index, value) != SQLITE_OK) connection_.fail();
}

void Statement::put(int index, std::string_view value) {
  if (sqlite3_bind_text64(handle_, index, value.data() == nullptr ? "" : value.data(), value.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
    connection_.fail();
  }
}

void Statement::put(int index, const std::vector<double>& samples) {
  const void* data = samples.empty() ? static_cast<const void*>("") : samples.data();
  if (sqlite3_bind_blob64(handle_, index, data, samples.size() * sizeof(double), SQLITE_TRANSIENT) !=
      SQLITE_OK) {
    connection_.fail();
  }
}

void Statement::put_null(int index) {
  if (sqlite3_bind_null(handle_, index) != SQLITE_OK) connection_.fail();
}

void Statement::get(int column, std::int64_t& value) const {
  value = sqlite3_column_int64(handle_, column);
}

void Statement::get(int column, int& value) const {
  value = sqlite3_column_int(handle_, column);
}

void Statement::get(int column, double& value) const {
  value = sqlite3_column_double(handle_, column);
}

void Statement::get(int column, std::string& value) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  value.assign(data == nullptr ? "" : data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

void Statement::get(int column, std::vector<double>& samples) const {
  const void* data = sqlite3_column_blob(handle_, column);
  samples.resize(static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)) / sizeof(double));
  if (!samples.empty()) std::memcpy(samples.data(), data, samples.size() * sizeof(double));
}

void Statement::get(int column, Json& json) const {
  std::string text;
  get(column, text);
  json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    throw ArchiveFailure("a row holds text that should be JSON and is not; the archive is damaged.");
}

void Statement::get(int column, Timestamp& time) const {
  std::int64_t milliseconds = 0;
  get(column, milliseconds);
  time = Timestamp(std::chrono::milliseconds(milliseconds));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

}  // namespace kevolve::archive
