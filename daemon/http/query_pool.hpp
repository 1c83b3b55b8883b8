#pragma once
// QueryPool: threads that answer questions from the archive, each with its own read-only connection, so
// that no question delays anything else. A question that is not answered by its deadline is given up.
// Thread-safe.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "archive/archive.hpp"
#include "daemon/http/answer.hpp"

namespace kevolve::http {

class QueryPool {
 public:
  using Clock = std::chrono::steady_clock;
  using Question = std::function<Answer(archive::Archive&)>;
  using Done = std::function<void(Answer)>;

  QueryPool(std::filesystem::path archive, int threads, std::size_t most_waiting);
  ~QueryPool() { stop(); }

  /// `done` is called once, in a thread of the pool, and must not block. False: too many are waiting, or the
  /// pool has stopped; then `done` is never called.
  bool ask(Question question, Clock::time_point deadline, Done done);
  /// Interrupts running questions, drops waiting ones, and joins.
  void stop();

 private:
  struct Task {
    Question question;
    Clock::time_point deadline;
    Done done;
  };
  void work();

  const std::filesystem::path path_;
  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kevolve::http
