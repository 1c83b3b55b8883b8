#include "archive/process_identity.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace kevolve::archive {
namespace {

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

/// Clock ticks since boot, field 22 of /proc/<pid>/stat; "" when there is no such process, or when it has
/// ended and nobody has fetched its exit code yet (field 3 is Z or X; in a container that may stay so). The
/// second field, the command's name in parentheses, may itself hold spaces and parentheses.
std::string start_time(long pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return "";
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) {
    fields >> field;
    if (number == 3 && (field == "Z" || field == "X")) return "";
  }
  return fields ? field : "";
}

std::string identity_of(long pid) {
  return fmt::format("{}/{}/{}", boot_id(), pid, start_time(pid));
}

}  // namespace

std::string process_identity() {
  return identity_of(::getpid());
}

bool process_is_alive(std::string_view identity) {
  const auto first = identity.find('/');
  if (first == std::string_view::npos) return false;
  long pid = 0;
  const auto* begin = identity.data() + first + 1;
  if (std::from_chars(begin, identity.data() + identity.size(), pid).ec != std::errc{} || pid <= 0)
    return false;
  return !start_time(pid).empty() && identity_of(pid) == identity;
}

}  // namespace kevolve::archive
