#include "daemon/http/query_pool.hpp"

#include <optional>

namespace kevolve::http {

QueryPool::QueryPool(std::filesystem::path archive, int threads, std::size_t most_waiting)
    : path_(std::move(archive)), most_waiting_(most_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

bool QueryPool::ask(Question question, Clock::time_point deadline, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back({std::move(question), deadline, std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void QueryPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void QueryPool::work() {
  Clock::time_point deadline;  // of the question being answered
  std::optional<archive::Archive> archive;
  archive::ArchiveOptions options;
  options.busy_timeout = std::chrono::milliseconds(1000);
  options.interrupted = [this, &deadline] { return stopping_ || Clock::now() > deadline; };
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Task task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    deadline = task.deadline;
    Answer answer;
    if (!archive) {  // there may be none before the first job
      Result<archive::Archive> opened = archive::Archive::open(path_, archive::OpenMode::read_only, options);
      if (opened)
        archive.emplace(std::move(*opened));
      else
        answer = refusal_answer({503, "archive", opened.error().message});
    }
    if (archive && Clock::now() <= deadline) answer = task.question(*archive);
    if (Clock::now() > deadline && answer.status != 200)
      answer = refusal_answer({504, "timeout", "the archive gave no answer in time; ask for less, or later"});
    task.done(std::move(answer));
  }
}

}  // namespace kevolve::http
