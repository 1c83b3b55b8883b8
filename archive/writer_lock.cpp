#include "archive/writer_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "archive/connection.hpp"

namespace kevolve::archive {
namespace {

/// What the holder of an exclusive lock wrote: its process number.
std::string holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string number(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  number.erase(number.find_last_not_of('\n') + 1);
  return number.empty() ? "unknown" : number;
}

[[noreturn]] void refuse(int fd, WriterLock::Kind kind) {
  const std::string who = holder(fd);
  ::close(fd);
  if (kind == WriterLock::Kind::shared) {
    throw ArchiveFailure(fmt::format(
        "kevolved (process {}) has it open and writes it alone. Ask that service (kevolve submit, "
        "kevolve status), or end it; reading is possible meanwhile.",
        who));
  }
  throw ArchiveFailure(
      "another program has it open for writing (kevolve run, or a second kevolved), and a service writes its "
      "archive alone. End that program, or give the service another archive.");
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& archive, Kind kind) {
  const std::string file = archive.string() + "-lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) throw ArchiveFailure(fmt::format("cannot open its lock '{}': {}.", file, std::strerror(errno)));
  if (::flock(fd, (kind == Kind::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) refuse(fd, kind);
    ::close(fd);  // a file system without such locks: SQLite's own are what is left
    return;
  }
  fd_ = fd;
  const std::string mine = kind == Kind::exclusive ? fmt::format("{}\n", ::getpid()) : "";
  if (kind == Kind::exclusive &&
      (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, mine.data(), mine.size(), 0) < 0)) {
    // The number is for a message only.
  }
}

WriterLock::~WriterLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace kevolve::archive
