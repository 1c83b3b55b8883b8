#pragma once
// LineQueue: a thread that reads a stream's lines ahead, so that all waiting lines can be taken at once. The
// stream must outlive it; destruction waits for the end of the stream. The stream is untied: otherwise
// reading std::cin would flush std::cout while another thread writes to it, and lines would be doubled or
// lost.

#include <condition_variable>
#include <deque>
#include <istream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kevolve::worker {

class LineQueue {
 public:
  explicit LineQueue(std::istream& in) {
    in.tie(nullptr);
    reader_ = std::thread([this, &in] { read(in); });
  }
  ~LineQueue() { reader_.join(); }
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;

  /// Takes up to `most` waiting lines. `wait`: for one line, when none is there; an empty result then means
  /// the end of the stream.
  std::vector<std::string> take(std::size_t most, bool wait = true) {
    std::unique_lock lock(mutex_);
    if (wait) changed_.wait(lock, [&] { return !lines_.empty() || ended_; });
    std::vector<std::string> taken;
    while (!lines_.empty() && taken.size() < most) {
      taken.push_back(std::move(lines_.front()));
      lines_.pop_front();
    }
    return taken;
  }

 private:
  void read(std::istream& in) {
    for (std::string line; std::getline(in, line);) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
      changed_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool ended_ = false;
  std::thread reader_;
};

}  // namespace kevolve::worker
