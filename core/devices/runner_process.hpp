#pragma once
// RunnerProcess: the judge's end of one sandboxed runner, whatever the device.
//
// Owns the child and the socket; its destruction kills the whole sandbox. One thread: the one that started it
// (see core/process/child.hpp). The cpu runner holds foreign machine code and is not trusted: its times are
// taken here, and a reply is only ever a claim. The cuda runner's own code is ours (a candidate has none on
// the host), so it reads the GPU's clock, and the time that passed here bounds what it may say.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/devices/channel.hpp"
#include "core/devices/device.hpp"
#include "core/process/child.hpp"
#include "core/process/command.hpp"

namespace kevolve::devices {

struct RunnerCommand {
  std::vector<std::string> argv;
  process::SandboxPolicy sandbox;
  bool device_clock = false;  ///< the runner times runs with the device's own clock
  bool greets = false;        ///< it sends a `done`, unasked, when it is ready to load
};

/// What a runner is told at its start.
struct RunnerLoad {
  std::string document;    ///< JSON
  std::vector<int> files;  ///< descriptors it may read
};

class RunnerProcess final : public Runner {
 public:
  /// Starts the process and returns at once: a runner may get ready while others work.
  static Result<std::unique_ptr<RunnerProcess>> spawn(const RunnerCommand& command);

  /// Waits until a runner that greets is ready; at once with others.
  Result<void> await_greeting();
  /// Hands over what is to be run, once, and waits until it is loaded.
  Result<void> load(const LaunchPlan& plan, const RunnerLoad& what);

  Result<int> bind(const std::vector<std::shared_ptr<SharedBuffer>>& buffers) override;
  Result<RunReport> run(int set, const RunOptions& options) override;
  Result<std::map<std::string, double>> profile(int set) override;
  Result<std::optional<Witness>> witness(int set) override;

 private:
  enum class Waited { replied, ended, too_late };

  RunnerProcess(process::Child child, process::UniqueFd socket, const RunnerCommand& command)
      : child_(std::move(child)),
        socket_(std::move(socket)),
        device_clock_(command.device_clock),
        greeting_due_(command.greets) {}
  Result<void> await_start();
  /// Sends a request whose answer is a document; `what` it is of, for errors.
  Result<Json> ask(channel::RequestKind kind, int set, std::string_view what);
  /// Waits for the answer to the last request.
  Waited await(std::chrono::steady_clock::time_point end);
  [[nodiscard]] Verdict stopped() const;
  [[nodiscard]] Result<RunReport> finished(double wall_us);
  /// The socket was closed with a request outstanding: what the exit code says of it.
  Result<RunReport> ended_during_run();
  Error gone(std::string_view when);
  void bury();

  process::Child child_;
  process::UniqueFd socket_;
  bool device_clock_, greeting_due_;
  LaunchPlan plan_;
  channel::Packet<channel::Reply> reply_;
  int sets_ = 0;
  bool dead_ = false;
};

}  // namespace kevolve::devices
