#pragma once
// Preparing: threads that take requests through the gates of Phase::ahead, while one other thread judges and
// times.
//
// submit() and the waits belong to one thread. Destruction waits for running requests and drops waiting ones.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/worker/evaluator.hpp"

namespace kevolve::worker {

/// A request, and its trial once it is prepared.
struct Prepared {
  EvaluateRequest request;
  std::optional<Result<Trial>> result;
};

class Preparing {
 public:
  Preparing(Evaluator& evaluator, std::size_t threads) : evaluator_(evaluator) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Preparing() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Preparing(const Preparing&) = delete;
  Preparing& operator=(const Preparing&) = delete;

  std::shared_ptr<Prepared> submit(EvaluateRequest request) {
    auto task = std::make_shared<Prepared>(Prepared{std::move(request), std::nullopt});
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(task);
      ++unfinished_;
    }
    changed_.notify_all();
    return task;
  }

  Result<Trial> take(Prepared& task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return task.result.has_value(); });
    return std::move(*task.result);
  }

  /// Waits until no request is being prepared, so that the machine is quiet.
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return unfinished_ == 0; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (ended_) return;
      const std::shared_ptr<Prepared> task = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      auto result = evaluator_.prepare(task->request);
      lock.lock();
      task->result.emplace(std::move(result));
      --unfinished_;
      changed_.notify_all();
    }
  }

  Evaluator& evaluator_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Prepared>> waiting_;
  std::size_t unfinished_ = 0;
  bool ended_ = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace kevolve::worker
