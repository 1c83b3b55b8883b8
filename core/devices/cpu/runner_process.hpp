#pragma once
// RunnerProcess: the judge's end of one sandboxed kevolve-runner.
//
// Owns the child and the socket; its destruction kills the whole sandbox. One thread: the one that started it
// (see core/process/child.hpp). The runner is not trusted: times are taken here, and a reply is only ever a
// claim.

#include <filesystem>
#include <optional>

#include "core/devices/cpu/channel.hpp"
#include "core/devices/device.hpp"
#include "core/process/child.hpp"

namespace kevolve {

class RunnerProcess final : public Runner {
 public:
  static Result<std::unique_ptr<Runner>> start(const std::filesystem::path& runner, int threads,
                                               const Binary& binary, const LaunchPlan& plan);

  Result<int> bind(const std::vector<std::shared_ptr<SharedBuffer>>& buffers) override;
  Result<RunReport> run(int set, const RunOptions& options) override;

 private:
  enum class Waited { replied, ended, too_late };

  RunnerProcess(Child child, UniqueFd socket, LaunchPlan plan)
      : child_(std::move(child)), socket_(std::move(socket)), plan_(std::move(plan)) {}
  Result<void> handshake();
  /// Waits for the answer to the request just sent.
  Waited await(std::chrono::steady_clock::time_point end);
  Verdict stopped() const;
  /// The socket was closed with a request outstanding: what the exit code says of it.
  Result<RunReport> ended_during_run();
  Error gone(std::string_view when);
  void bury();

  Child child_;
  UniqueFd socket_;
  LaunchPlan plan_;
  channel::Packet<channel::Reply> reply_;
  int sets_ = 0;
  bool dead_ = false;
};

}  // namespace kevolve
