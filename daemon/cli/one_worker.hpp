#pragma once
// One conversation with one worker, for commands that ask a single thing. Blocks.

#include <filesystem>
#include <functional>
#include <string>

#include "core/model/worker_protocol.hpp"
#include "daemon/worker_client.hpp"

namespace kevolve::cli {

/// The worker beside this program; its log goes to `log`, or to stderr when empty.
WorkerCommand local_worker(const std::filesystem::path& log);

/// Where workers of commands that keep no archive write their log: a file in the temporary folder, one per
/// process.
std::filesystem::path scratch_log();

/// Starts a worker and sends `request` (none: only the hello is wanted). SIGINT ends it with an error.
struct Answer {
  Hello hello;
  std::optional<WorkerReply> reply;
};
Result<Answer> ask_worker(const WorkerCommand& command, const std::optional<WorkerRequest>& request);

}  // namespace kevolve::cli
