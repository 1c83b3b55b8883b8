#include "archive/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "archive/packing.hpp"
#include "archive/statement.hpp"

namespace kevolve::archive {
namespace fs = std::filesystem;
namespace {

/// What a result code means for the person whose archive it is, and what to do about it.
std::string explain(int extended_code, const std::string& path, std::int64_t max_bytes) {
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      if (max_bytes > 0) {
        return fmt::format(
            "the archive has reached its quota of {} bytes, or its disk is full. Nothing was half-written: "
            "raise the quota or free space beside '{}', then run again; the job continues.",
            max_bytes, path);
      }
      return fmt::format(
          "the disk is full. Nothing was half-written: free space on the file system of '{}', "
          "then run again; the job continues.",
          path);
    case SQLITE_IOERR:
      return fmt::format(
          "reading or writing failed in the operating system. Nothing was half-written: check the disk, "
          "its quota and the file size limit for '{}', then run again.",
          path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process kept the archive locked for longer than the busy timeout. Wait for it to end, "
             "or use another archive.";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "there is no permission to write it. Change the owner or mode of the file and of its folder "
             "(SQLite keeps '-wal' and '-shm' files beside it), or use another archive.";
    case SQLITE_NOTADB:
      return "the file is not a SQLite database, so not an archive. It was left untouched: name another "
             "file.";
    case SQLITE_CORRUPT:
      return "the file is damaged. Keep a copy, restore a backup, or salvage it with sqlite3's '.recover'.";
    case SQLITE_CANTOPEN:
      return "the file, or the '-wal' and '-shm' files beside it, cannot be opened. Check that the folder "
             "exists "
             "and may be read and written.";
    case SQLITE_CONSTRAINT:
      return "the archive refused a row that contradicts others, such as one that refers to a row that does "
             "not "
             "exist. This is a mistake of the program, not of yours; nothing was written.";
    default:
      return "";
  }
}

std::string describe(sqlite3* handle, const std::string& path, std::int64_t max_bytes) {
  const int code = sqlite3_extended_errcode(handle);
  const std::string remedy = explain(code, path, max_bytes);
  const std::string detail = fmt::format("SQLite: {} (code {})", sqlite3_errmsg(handle), code);
  return remedy.empty() ? detail : fmt::format("{} [{}]", remedy, detail);
}

/// Errors that SQLite reports vaguely, found by asking the file system first.
void check_path(const fs::path& path, bool create) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw ArchiveFailure("it is a folder; name a file in it.");
  const bool exists = fs::exists(path, ignored);
  if (!exists && !create)
    throw ArchiveFailure("no such file. 'kevolve run' creates an archive; see --archive.");
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!exists && !fs::is_directory(folder, ignored)) {
    throw ArchiveFailure(fmt::format("the folder '{}' does not exist; create it first.", folder.string()));
  }
  if (exists && ::access(path.c_str(), create ? R_OK | W_OK : R_OK) != 0) {
    throw ArchiveFailure(
        fmt::format("no permission to {} it ({}). Change its owner or mode, or name another file.",
                    create ? "read and write" : "read", std::strerror(errno)));
  }
  if (create && ::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw ArchiveFailure(
        fmt::format("no permission to write in its folder '{}' ({}), where SQLite keeps its journal.",
                    folder.string(), std::strerror(errno)));
  }
}

/// A URI that SQLite takes literally: '?', '#' and '%' of the path escaped.
std::string immutable_uri(const fs::path& path) {
  std::string uri = "file:";
  for (const char c : fs::absolute(path).string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

/// A reader needs to make '-shm' beside the file. Where the folder forbids that and no journal holds
/// anything, the file alone is the whole archive and nobody can be writing.
bool must_open_immutable(const fs::path& path) {
  std::error_code error;
  const auto wal_bytes = fs::file_size(path.string() + "-wal", error);
  if (!error && wal_bytes > 0) return false;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return ::access(folder.c_str(), W_OK | X_OK) != 0;
}

}  // namespace

Connection::Connection(fs::path path, Access access, std::chrono::milliseconds busy_timeout)
    : path_(std::move(path)) {
  check_path(path_, access == Access::read_write_create);
  try {
    open(access);
    sqlite3_busy_timeout(handle_, static_cast<int>(busy_timeout.count()));
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

void Connection::open(Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string name = path_.string();
  if (access == Access::read_only) {
    flags |= SQLITE_OPEN_READONLY;
    if (must_open_immutable(path_)) {
      flags |= SQLITE_OPEN_URI;
      name = immutable_uri(path_);
    }
  } else {
    flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  if (sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr) != SQLITE_OK) fail();
  if (add_packing_functions(handle_) != SQLITE_OK) fail();
}

Connection::~Connection() {
  forget_statements();
  sqlite3_close(handle_);
}

void Connection::forget_statements() noexcept {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
}

void Connection::configure_writer(std::int64_t max_bytes) {
  const std::string mode = text("PRAGMA journal_mode = WAL");
  if (mode != "wal") {
    throw ArchiveFailure(
        fmt::format("its file system does not support SQLite's write-ahead log (journal mode is '{}'). "
                    "Keep the archive on a local disk.",
                    mode));
  }
  execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  max_bytes_ = max_bytes;
  if (max_bytes_ > 0) {
    const std::int64_t pages = max_bytes_ / integer("PRAGMA page_size");
    (void)integer(fmt::format("PRAGMA max_page_count = {}", pages < 1 ? 1 : pages));
  }
}

void Connection::execute(std::string_view sql) {
  if (sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t Connection::integer(std::string_view sql) {
  Statement query(*this, sql);
  std::int64_t value = 0;
  if (query.step()) query.read(value);
  return value;
}

std::string Connection::text(std::string_view sql) {
  Statement query(*this, sql);
  std::string value;
  if (query.step()) query.read(value);
  return value;
}

void Connection::interrupt_when(std::function<bool()> interrupted) {
  constexpr int kInstructionsBetween = 10'000;  // well below a millisecond
  interrupted_ = std::move(interrupted);
  const auto ask = [](void* question) { return (*static_cast<std::function<bool()>*>(question))() ? 1 : 0; };
  sqlite3_progress_handler(handle_, interrupted_ ? kInstructionsBetween : 0, interrupted_ ? +ask : nullptr,
                           &interrupted_);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t Connection::last_row_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

sqlite3_stmt* Connection::take(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK)
    fail();
  return statement;
}

void Connection::give_back(std::string_view sql, sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    if (idle_.emplace(sql, statement).second) return;
  } catch (const std::bad_alloc&) {
  }
  sqlite3_finalize(statement);
}

void Connection::fail() const {
  throw ArchiveFailure(describe(handle_, path_.string(), max_bytes_));
}

Scope::Scope(Connection& connection, Kind kind)
    : connection_(connection), nested_(connection.in_transaction()) {
  connection_.execute(nested_ ? "SAVEPOINT scope" : kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

void Scope::commit() {
  connection_.execute(nested_ ? "RELEASE scope" : "COMMIT");
  open_ = false;
}

Scope::~Scope() {
  // After some failures (a full disk) SQLite has rolled back by itself.
  if (!open_ || !connection_.in_transaction()) return;
  try {
    connection_.execute(nested_ ? "ROLLBACK TO scope; RELEASE scope" : "ROLLBACK");
  } catch (const ArchiveFailure&) {
    // The journal is still uncommitted; whoever opens the archive next discards it.
  }
}

}  // namespace kevolve::archive
