#pragma once
// Which process a run belongs to, told apart from any other of any machine, also after reboots and reused
// process numbers. Thread-safe.

#include <string>
#include <string_view>

namespace kevolve::archive {

/// Of this process: "<boot id>/<process number>/<start time>".
std::string process_identity();

/// True when that process runs on this machine now. False also when it belongs to another machine.
bool process_is_alive(std::string_view identity);

}  // namespace kevolve::archive
