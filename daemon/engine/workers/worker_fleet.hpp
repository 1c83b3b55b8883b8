#pragma once
// WorkerFleet: the workers of a pool, from their starts to their ends. They start when somebody needs one. A
// worker that ends starts again, at once when it had answered something, else after a time that doubles. All
// must have the same device and version as the first; the fleet refuses others. It knows nothing of jobs, and
// of requests only where they are. Belongs to the thread of its io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/process/supervision.hpp"
#include "daemon/engine/workers/signal.hpp"
#include "daemon/engine/workers/worker_client.hpp"

namespace kevolve::engine {

struct PoolSettings {
  std::string name;    ///< in news and status
  std::string device;  ///< that is asked for
  WorkerCommand command;
  int workers = 1;
  std::chrono::seconds start_deadline = WorkerClient::kStartDeadline;  ///< from its start to its hello
  std::chrono::seconds idle{0};  ///< after so long without a request they end; 0: never
  /// After that many failed starts in a row, before any worker ever said hello, the pool gives up. 0: never.
  /// Starts that somebody killed do not count, up to ten in a row.
  int patience = 0;
  std::chrono::milliseconds first_back_off{500}, longest_back_off{60'000};
};

struct PoolNews {
  enum class Kind { started, lost, refused, idle } kind = Kind::started;
  std::string pool;
  int worker = 0;      ///< from 1
  bool again = false;  ///< started: in the place of one that was lost
  std::string text;    ///< why; of `started`: its version and device
  double next_try_seconds = 0;
};

struct WorkerStatus {
  std::string state;  ///< "off", "starting", "ready", "waiting" (to be started again)
  pid_t process = -1;
  std::size_t in_flight = 0;
  std::int64_t answered = 0;
  int losses = 0;
  std::string why;  ///< of the last loss
};

class WorkerFleet : public std::enable_shared_from_this<WorkerFleet> {
 public:
  struct Owner {
    std::function<void(PoolNews)> news;
    std::function<void()> ready;   ///< one more worker is
    std::function<bool()> wanted;  ///< somebody uses the pool, so a worker that ended starts again
  };
  struct Worker {
    explicit Worker(process::BackOff b) : back_off(b) {}
    enum class State { off, starting, ready, waiting } state = State::off;
    std::shared_ptr<WorkerClient> client;
    std::unique_ptr<boost::asio::steady_timer> timer;  ///< until it starts again
    process::BackOff back_off;
    int killed_starts = 0;  ///< of its failures: before a hello, by somebody
    int losses = 0;
    std::int64_t answered = 0;  ///< by earlier clients
    std::string why;
    std::size_t given = 0;   ///< requests that the pool has given it and not seen back
    std::size_t places = 0;  ///< requests that it is given at a time
    std::chrono::steady_clock::time_point last_reply{};
  };

  WorkerFleet(boost::asio::io_context& io, PoolSettings settings);
  /// Before the first need().
  void answer_to(Owner owner) { owner_ = std::move(owner); }

  [[nodiscard]] const PoolSettings& settings() const { return settings_; }
  [[nodiscard]] std::size_t ready() const;  ///< workers
  [[nodiscard]] std::vector<WorkerStatus> status() const;
  /// As the first worker told them; nothing before it.
  [[nodiscard]] const std::optional<DeviceInfo>& device() const { return device_; }
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  ///< why none is ready; ""
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  /// A worker is ready, or none will be.
  [[nodiscard]] Signal& changed() { return changed_; }

  /// Workers that are off start.
  void need();
  /// The one with the fewest requests of those with room; nullptr: none has room.
  Worker* least_busy();
  /// Workers that are ready end; false: none was.
  bool rest();
  /// The next worker may be on another machine.
  void forget_device() { device_.reset(); }
  void stop(const std::string& why);

 private:
  void start(std::size_t index);
  boost::asio::awaitable<void> start_worker(std::size_t index);
  Result<void> agree(const Hello& hello);
  void welcome(std::size_t index, std::shared_ptr<WorkerClient> client);
  void lose(std::size_t index, const std::string& why, PoolNews::Kind kind);

  boost::asio::io_context& io_;
  const PoolSettings settings_;
  Owner owner_;
  std::vector<Worker> workers_;
  std::optional<DeviceInfo> device_;
  std::string version_, trouble_;
  bool gave_up_ = false, stopped_ = false;
  Signal changed_;
};

}  // namespace kevolve::engine
