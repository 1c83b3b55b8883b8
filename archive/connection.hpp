#pragma once
// Connection: one SQLite connection with the archive's settings, and the scopes of its transactions.
//
// Inside archive/ a failing SQLite call throws ArchiveFailure, whose message is already fit for the user;
// Archive's public functions turn it into an Error. One thread; statements must not outlive their connection.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace kevolve::archive {

struct ArchiveFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  enum class Access { read_write_create, read_only };

  /// Opens without changing a byte of an existing file; settings that write come with configure_writer().
  Connection(std::filesystem::path path, Access access, std::chrono::milliseconds busy_timeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// WAL, synchronous=FULL, foreign keys, and the quota (0: none).
  void configure_writer(std::int64_t max_bytes);
  /// Statements separated by semicolons, without parameters or results.
  void execute(std::string_view sql);
  [[nodiscard]] std::int64_t integer(std::string_view sql);  ///< the first column of the first row
  [[nodiscard]] std::string text(std::string_view sql);
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] std::int64_t last_row_id() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] sqlite3* handle() const { return handle_; }
  /// Statements are ended with an error once `interrupted` says true. Empty: never.
  void interrupt_when(std::function<bool()> interrupted);
  [[nodiscard]] const std::function<bool()>& interrupted() const { return interrupted_; }
  /// Drops prepared statements that nobody uses: before a database is detached.
  void forget_statements() noexcept;

 private:
  friend class Statement;
  void open(Access access);
  sqlite3_stmt* take(std::string_view sql);  ///< from the cache, or prepared
  void give_back(std::string_view sql, sqlite3_stmt* statement) noexcept;
  [[noreturn]] void fail() const;  ///< with what the last call on this connection said

  std::filesystem::path path_;
  std::int64_t max_bytes_ = 0;
  sqlite3* handle_ = nullptr;
  std::function<bool()> interrupted_;
  std::map<std::string, sqlite3_stmt*, std::less<>> idle_;
};

/// A transaction, or a savepoint where one is open already. Rolls back on destruction unless committed.
class Scope {
 public:
  enum class Kind { read, write };
  Scope(Connection& connection, Kind kind);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool nested_;
  bool open_ = true;
};

}  // namespace kevolve::archive
