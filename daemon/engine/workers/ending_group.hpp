#pragma once
// EndingGroup: a process group on its way out. It gets SIGTERM; what is left of it after a grace period gets
// SIGKILL. A launcher needs the grace: srun then gives its place back to Slurm, which stays taken when srun
// is killed outright.
//
// Owns the group's leader, a child of this process: nobody else may wait for it. Not thread-safe.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>

namespace kevolve::engine {

class EndingGroup {
 public:
  static constexpr std::chrono::seconds kGrace{10};
  enum class Leader { runs, was_reaped };

  /// Sends SIGTERM to the group of `leader`. Where the leader has ended already, waits for the others of its
  /// group in its place.
  EndingGroup(pid_t leader, Leader state, std::chrono::milliseconds grace = kGrace);
  /// Waits for the end of the group, or of its time, and kills what is left.
  ~EndingGroup();
  EndingGroup(const EndingGroup&) = delete;
  EndingGroup& operator=(const EndingGroup&) = delete;

  /// It has ended, or its time is over: there is nothing left to wait for. Does not block.
  [[nodiscard]] bool over();

 private:
  [[nodiscard]] bool ended();

  pid_t leader_;
  bool reaped_;
  bool ended_ = false;
  std::chrono::steady_clock::time_point due_;
};

/// Waits for the group without holding up the loop. Where the loop ends before it, destruction waits.
boost::asio::awaitable<void> see_off(boost::asio::io_context& io, std::unique_ptr<EndingGroup> group);

}  // namespace kevolve::engine
