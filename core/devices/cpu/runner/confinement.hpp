#pragma once
// Confinement: what the runner gives up for good, beside the file system and network that bubblewrap has
// taken.

#include "core/text/result.hpp"

namespace kevolve::cpu::runner {

/// Process limits: memory, processor time, files, no core dumps.
Result<void> apply_limits(int threads);

/// No new threads, processes, programs, sockets, signals to others. Loading a shared object is still
/// possible.
Result<void> forbid_most_system_calls();

/// On top: no opening of files, no executable memory, no change of a mapping's protection.
Result<void> forbid_loading();

}  // namespace kevolve::cpu::runner
