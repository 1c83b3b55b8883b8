#include "core/process/log.hpp"

#include <unistd.h>

#include <algorithm>

namespace kevolve::process {

void log_line(std::string_view event, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string line = "event=" + std::string(event);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    if (value.empty() || value.find_first_of(" \"=\n\t") != std::string::npos) {
      line += '"';
      for (const char c : value) line += c == '"' ? '\'' : c == '\n' ? ' ' : c;
      line += '"';
    } else {
      line += value;
    }
  }
  line += '\n';
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, line.data(), line.size());  // one call: lines never mix
}

}  // namespace kevolve::process
