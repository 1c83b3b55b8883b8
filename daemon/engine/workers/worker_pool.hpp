#pragma once
// WorkerPool: workers of one kind, and the jobs that share them.
//
// A job joins and gets a WorkerShare. Workers start when somebody needs one and end when nobody has for a
// while. A place that becomes free goes to the waiting job whose turn it is (core/search/fair_share.hpp, in
// worker seconds). A worker that ends is started again, at once when it had answered something, else after a
// time that doubles; what it had not answered goes to the next one. A request is given up when workers died
// of it: it was the oldest of two that ended while others worked, or of five in any case. All workers must
// have the same device and version as the first; others are refused. Belongs to the thread of its io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/search/fair_share.hpp"
#include "daemon/engine/workers/worker_client.hpp"

namespace kevolve {

struct PoolSettings {
  std::string name;    ///< in news and status
  std::string device;  ///< that is asked for
  WorkerCommand command;
  int workers = 1;
  std::chrono::seconds start_deadline = WorkerClient::kStartDeadline;  ///< from its start to its hello
  std::chrono::seconds idle{0};  ///< after so long without a request they end; 0: never
  /// So many failed starts in a row, before any worker ever said hello, and the pool gives up. 0: never.
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

class WorkerShare;

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
 public:
  using Listener = std::function<void(const PoolNews&)>;
  WorkerPool(boost::asio::io_context& io, PoolSettings settings, Listener listener);

  std::shared_ptr<WorkerShare> join(std::string job, double weight);
  void stop(const std::string& why);

  [[nodiscard]] const PoolSettings& settings() const { return settings_; }
  [[nodiscard]] std::vector<WorkerStatus> workers() const;
  [[nodiscard]] const std::vector<WorkerShare*>& shares() const { return shares_; }
  [[nodiscard]] std::size_t ready() const;  ///< workers
  /// Of its workers, when one has said hello.
  [[nodiscard]] const std::optional<DeviceInfo>& device() const { return device_; }
  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  ///< why none is ready; ""

 private:
  friend class WorkerShare;
  struct Slot {
    enum class State { off, starting, ready, waiting } state = State::off;
    std::shared_ptr<WorkerClient> client;
    std::unique_ptr<boost::asio::steady_timer> timer;  ///< until it is started again
    int failures = 0;                                  ///< ends in a row without an answer
    int killed_starts = 0;                             ///< of them: before a hello, by somebody
    int losses = 0;
    std::int64_t answered = 0;  ///< by earlier clients
    std::string why;
    std::chrono::steady_clock::time_point last_reply{};
    std::size_t given = 0;   ///< requests that carry() has for it
    std::size_t places = 0;  ///< requests that it is given at a time
  };
  struct Pending {
    Pending(boost::asio::io_context& io, EvaluateRequest r, WorkerShare& s);
    EvaluateRequest request;
    WorkerShare* share;  ///< null when it left
    boost::asio::steady_timer done;
    std::optional<Result<Evaluation>> result;
    int deaths = 0;
    double charged = 0;                ///< seconds, in advance
    std::int64_t answered_before = 0;  ///< by the pool, at its first death
  };

  void need();
  void start(std::size_t index);
  boost::asio::awaitable<void> start_worker(std::size_t index);
  Result<void> agree(const Hello& hello);
  void lose(std::size_t index, const std::string& why, PoolNews::Kind kind);
  void dispatch();
  Slot* free_slot();
  boost::asio::awaitable<void> carry(std::shared_ptr<Pending> pending, std::size_t index);
  void settle(const std::shared_ptr<Pending>& pending, tl::expected<WorkerReply, WorkerLoss> reply);
  void leave(WorkerShare& share);
  void consider_idleness();
  void tell(PoolNews news);

  boost::asio::io_context& io_;
  const PoolSettings settings_;
  Listener listener_;
  std::vector<Slot> slots_;
  std::vector<WorkerShare*> shares_;
  FairShare turns_;
  std::optional<DeviceInfo> device_;
  std::string version_, trouble_;
  bool gave_up_ = false, stopped_ = false;
  std::int64_t answered_ = 0;
  std::size_t carried_ = 0;
  boost::asio::steady_timer changed_;  ///< cancelled when a worker is ready, or none will be
  boost::asio::steady_timer idle_;
};

/// A job's part of a pool. Leaves it at the end of its life.
class WorkerShare {
 public:
  WorkerShare(std::shared_ptr<WorkerPool> pool, std::string job, double weight);
  ~WorkerShare();
  WorkerShare(const WorkerShare&) = delete;
  WorkerShare& operator=(const WorkerShare&) = delete;

  /// Waits until a worker has said hello. An error: the pool gave up, or close() was called.
  boost::asio::awaitable<Result<DeviceInfo>> device();
  /// Waits for its turn, then for the reply. An Error means that the candidate was not judged.
  boost::asio::awaitable<Result<Evaluation>> evaluate(EvaluateRequest request);

  /// What waits is refused; what workers have already is still answered.
  void close(const std::string& why);
  /// Nothing is waited for any more.
  void abandon(const std::string& why);
  void reweigh(double weight);

  [[nodiscard]] const std::string& job() const { return job_; }
  [[nodiscard]] double weight() const { return weight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return carried_.size(); }
  [[nodiscard]] const WorkerPool& pool() const { return *pool_; }

 private:
  friend class WorkerPool;
  using PendingPointer = std::shared_ptr<WorkerPool::Pending>;
  static void refuse(const PendingPointer& pending, const std::string& why);

  const std::shared_ptr<WorkerPool> pool_;
  const std::string job_;
  double weight_;
  FairShare::Member member_;
  std::deque<PendingPointer> waiting_;
  std::vector<PendingPointer> carried_;
  double mean_seconds_ = 1;  ///< of a worker, for one request
  std::string closed_;       ///< why; "": it is open
};

}  // namespace kevolve
