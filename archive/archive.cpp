#include "archive/archive.hpp"

#include "archive/impl.hpp"
#include "archive/schema.hpp"
#include "archive/verified.hpp"

namespace kevolve::archive {
namespace {

Timestamp system_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

Archive::Impl::Impl(const std::filesystem::path& path, OpenMode open_mode, ArchiveOptions archive_options)
    : connection(path,
                 open_mode == OpenMode::read_write ? Connection::Access::read_write_create
                                                   : Connection::Access::read_only,
                 archive_options.busy_timeout),
      mode(open_mode),
      options(std::move(archive_options)) {
  if (!options.clock) options.clock = system_time;
  connection.interrupt_when(options.interrupted);
  check_identity(connection, migrations());
  if (mode == OpenMode::read_write) {
    lock.emplace(path, options.exclusive ? WriterLock::Kind::exclusive : WriterLock::Kind::shared);
    connection.configure_writer(options.max_bytes);
    migrate(connection, migrations());
  } else if (connection.integer("PRAGMA user_version") < static_cast<std::int64_t>(migrations().size())) {
    throw ArchiveFailure(
        "its schema is older than this kevolve's, and it was opened for reading only. A command that "
        "writes, such as 'kevolve run', brings it up to date.");
  }
  define_verified(connection);
}

void Archive::Impl::require_writable() const {
  if (mode == OpenMode::read_only) throw ArchiveFailure("it was opened for reading only.");
  if (grouping && !connection.in_transaction()) {
    throw ArchiveFailure("the open transaction was rolled back by an earlier failure; begin it again.");
  }
}

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::open(const std::filesystem::path& path, OpenMode mode, ArchiveOptions options) {
  return Impl::guarded(path, [&] { return Archive(std::make_unique<Impl>(path, mode, std::move(options))); });
}

const std::filesystem::path& Archive::path() const {
  return impl_->connection.path();
}

struct Transaction::Impl {
  Archive::Impl& archive;
};

Result<Transaction> Archive::begin() {
  return Impl::guarded(path(), [this] {
    if (impl_->mode == OpenMode::read_only) throw ArchiveFailure("it was opened for reading only.");
    if (impl_->grouping) throw ArchiveFailure("a transaction is open already.");
    impl_->connection.execute("BEGIN IMMEDIATE");
    impl_->grouping = true;
    return Transaction(std::make_unique<Transaction::Impl>(*impl_));
  });
}

Transaction::Transaction(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;

Result<void> Transaction::commit() {
  Archive::Impl& archive = impl_->archive;
  return Archive::Impl::guarded(archive.connection.path(), [&] {
    if (!archive.grouping) throw ArchiveFailure("the transaction is committed already.");
    if (!archive.connection.in_transaction()) {
      throw ArchiveFailure(
          "the transaction was rolled back by an earlier failure; nothing of it was written.");
    }
    archive.connection.execute("COMMIT");
    archive.grouping = false;
  });
}

Transaction::~Transaction() {
  if (!impl_ || !impl_->archive.grouping) return;
  impl_->archive.grouping = false;
  if (!impl_->archive.connection.in_transaction()) return;
  try {
    impl_->archive.connection.execute("ROLLBACK");
  } catch (const ArchiveFailure&) {
    // The journal is still uncommitted; whoever opens the archive next discards it.
  }
}

}  // namespace kevolve::archive
