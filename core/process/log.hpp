#pragma once
// The worker's log: one line per event on stderr, "event=… key=value …". Values with blanks are quoted; no
// source text and no whole evidence. Thread-safe.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kevolve::process {

void log_line(std::string_view event, const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace kevolve::process
