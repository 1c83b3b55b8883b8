#include "core/process/places.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tests/catch.hpp"

namespace kevolve {
using namespace process;
namespace {

namespace fs = std::filesystem;

TEST_CASE("a program knows its file and its folder") {
  CHECK(own_program().filename() == "process_test");
  CHECK(program_folder() == own_program().parent_path());
}

TEST_CASE("the cache is below the first of its folders that exists") {
  const char* home = std::getenv("HOME");
  const std::string old_home = home == nullptr ? "" : home;
  const fs::path folder = fs::temp_directory_path();
  ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  ::setenv("HOME", folder.c_str(), 1);
  CHECK(default_cache() == folder / "kevolve");
  ::setenv("XDG_CACHE_HOME", "/nonexistent", 1);
  CHECK(default_cache() == folder / ".cache/kevolve");
  ::setenv("HOME", "/nonexistent", 1);
  CHECK(default_cache() == fs::temp_directory_path() / ("kevolve-cache-" + std::to_string(::getuid())));
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", old_home.c_str(), 1);
}

}  // namespace
}  // namespace kevolve
