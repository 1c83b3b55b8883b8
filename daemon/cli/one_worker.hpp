#pragma once
// OneWorker: a worker for commands that ask few things, one after the other. Blocks; SIGINT and SIGTERM end a
// question with an error. Belongs to one thread.

#include <filesystem>
#include <memory>
#include <string>

#include "core/model/worker_protocol.hpp"
#include "daemon/engine/workers/worker_client.hpp"

namespace kevolve::cli {

/// The worker beside this program; its log goes to `log`, or to stderr when empty.
engine::WorkerCommand local_worker(const std::filesystem::path& log);

/// Where workers of commands that keep no archive write their log: a file in the temporary folder, one per
/// process.
std::filesystem::path scratch_log();

class OneWorker {
 public:
  static Result<std::unique_ptr<OneWorker>> start(const engine::WorkerCommand& command);
  ~OneWorker();
  OneWorker(const OneWorker&) = delete;
  OneWorker& operator=(const OneWorker&) = delete;

  [[nodiscard]] const Hello& hello() const;
  Result<WorkerReply> ask(const WorkerRequest& request);
  [[nodiscard]] bool interrupted() const;

 private:
  struct Impl;
  explicit OneWorker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Starts a worker and sends `request` (none: only the hello is wanted).
struct Answer {
  Hello hello;
  std::optional<WorkerReply> reply;
};
Result<Answer> ask_worker(const engine::WorkerCommand& command, const std::optional<WorkerRequest>& request);

}  // namespace kevolve::cli
