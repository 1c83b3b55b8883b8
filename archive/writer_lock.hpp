#pragma once
// WriterLock: who may write an archive. Programs that write share it; a service, which keeps the archive open
// for days and expects to be alone, has it for itself. Held on the file ARCHIVE-lock beside the archive
// (never on the archive: closing a second descriptor of it would drop SQLite's own locks); it ends with its
// process, however that ends.

#include <filesystem>

namespace kevolve::archive {

class WriterLock {
 public:
  enum class Kind { shared, exclusive };
  /// Throws ArchiveFailure that says who has it, at once.
  WriterLock(const std::filesystem::path& archive, Kind kind);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace kevolve::archive
