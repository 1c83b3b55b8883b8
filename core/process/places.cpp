#include "core/process/places.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace kevolve::process {
namespace fs = std::filesystem;

fs::path own_program() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

fs::path program_folder() {
  const fs::path self = own_program();
  return self.empty() ? fs::path(".") : self.parent_path();
}

fs::path default_cache() {
  for (const auto& [variable, below] :
       {std::pair{"XDG_CACHE_HOME", "kevolve"}, std::pair{"HOME", ".cache/kevolve"}}) {
    std::error_code ignored;
    const char* value = std::getenv(variable);
    if (value != nullptr && fs::is_directory(value, ignored)) return fs::path(value) / below;
  }
  return fs::temp_directory_path() / ("kevolve-cache-" + std::to_string(::getuid()));
}

}  // namespace kevolve::process
