#pragma once
// Statement: one prepared SQL statement, its parameters bound and its columns read in order and by type.
//
// bind(a, b, …) sets ?1, ?2, …; read(x, y, …) fills from columns 0, 1, …. Enumerations travel by name, Id as
// integer, Timestamp as milliseconds, Json as text, std::optional as NULL or value, samples as little-endian
// f64. Prepared statements return to their connection for reuse. Failures throw ArchiveFailure.

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "archive/connection.hpp"
#include "archive/records.hpp"

namespace kevolve::archive {

[[noreturn]] void unknown_name(std::string_view name);

/// The value whose name() is `text`. Of the archive's own enumerations, name() is "" past the last.
template <class E>
E enum_from_name(std::string_view text) {
  for (int i = 0; !name(static_cast<E>(i)).empty(); ++i) {
    if (name(static_cast<E>(i)) == text) return static_cast<E>(i);
  }
  unknown_name(text);
}
template <>
Gate enum_from_name<Gate>(std::string_view text);
template <>
Outcome enum_from_name<Outcome>(std::string_view text);
template <>
Relation enum_from_name<Relation>(std::string_view text);
template <>
PrecisionClass enum_from_name<PrecisionClass>(std::string_view text);

class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... Values>
  Statement& bind(const Values&... values) {
    int index = 0;
    (put(++index, values), ...);
    return *this;
  }

  bool step();  ///< true: a row is there to read
  void run();   ///< to the end

  template <class... Values>
  void read(Values&... values) const {
    int column = 0;
    (get(column++, values), ...);
  }

 private:
  void put(int index, std::int64_t value);
  void put(int index, int value) { put(index, static_cast<std::int64_t>(value)); }
  void put(int index, double value);
  void put(int index, std::string_view value);  ///< as it is, also where it is not UTF-8
  void put(int index, const char* value) { put(index, std::string_view(value)); }
  void put(int index, const std::string& value) { put(index, std::string_view(value)); }
  void put(int index, const std::vector<double>& samples);
  void put(int index, const Json& json) {
    put(index, json.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  void put(int index, Timestamp time) { put(index, time.time_since_epoch().count()); }
  void put_null(int index);
  template <class Tag>
  void put(int index, Id<Tag> id) {
    put(index, id.value);
  }
  template <class T>
  void put(int index, const std::optional<T>& value) {
    value ? put(index, *value) : put_null(index);
  }
  template <class E>
  requires std::is_enum_v<E>
  void put(int index, E value) { put(index, name(value)); }

  void get(int column, std::int64_t& value) const;
  void get(int column, int& value) const;
  void get(int column, double& value) const;
  void get(int column, std::string& value) const;
  void get(int column, std::vector<double>& samples) const;
  void get(int column, Json& json) const;
  void get(int column, Timestamp& time) const;
  template <class Tag>
  void get(int column, Id<Tag>& id) const {
    get(column, id.value);
  }
  template <class T>
  void get(int column, std::optional<T>& value) const {
    value.reset();
    if (!is_null(column)) get(column, value.emplace());
  }
  template <class E>
  requires std::is_enum_v<E>
  void get(int column, E& value) const {
    std::string text;
    get(column, text);
    value = enum_from_name<E>(text);
  }
  [[nodiscard]] bool is_null(int column) const;

  Connection& connection_;
  std::string sql_;
  sqlite3_stmt* handle_;
};

/// A statement whose columns are known only at run time, for SQLite's own functions.
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};
using RawStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

}  // namespace kevolve::archive
