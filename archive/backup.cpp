// Copies of an archive that is in use.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace fs = std::filesystem;
namespace {

/// Removes a file that was left half written.
struct Remover {
  fs::path file;
  ~Remover() {
    std::error_code ignored;
    if (!file.empty()) fs::remove(file, ignored);
  }
};

void flush(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!flushed)
    throw ArchiveFailure(
        fmt::format("'{}' cannot be brought to disk: {}", path.string(), std::strerror(error)));
}

}  // namespace

Result<void> Archive::backup(const fs::path& file) {
  return Impl::guarded(path(), [&] {
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    if (fs::exists(file))
      throw ArchiveFailure(
          fmt::format("'{}' exists already and is not overwritten; name a new file.", file.string()));
    if (!fs::is_directory(folder))
      throw ArchiveFailure(fmt::format("the folder '{}' does not exist; create it first.", folder.string()));
    Remover partial{file.string() + fmt::format(".partial-{}", ::getpid())};
    Statement(impl_->connection, "VACUUM INTO ?1").bind(partial.file.string()).run();
    flush(partial.file);
    // A link fails where someone made the file meanwhile; a rename would overwrite it.
    if (::link(partial.file.c_str(), file.c_str()) != 0) {
      throw ArchiveFailure(fmt::format("'{}' cannot be made: {}", file.string(), std::strerror(errno)));
    }
    flush(folder);
  });
}

}  // namespace kevolve::archive
