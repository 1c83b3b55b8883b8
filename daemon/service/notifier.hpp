#pragma once
// Notifier: tells a command or a URL what happened, one message after the other, in its own thread. It
// reports once that a message could not be delivered, and drops it: nobody waits for it. Thread-safe.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/service/settings.hpp"

namespace kevolve::service {

class Notifier {
 public:
  /// `failed`: in words, from the notifier's thread; once for the command and once for the webhook until
  /// configure() is called again.
  explicit Notifier(std::function<void(std::string)> failed);
  ~Notifier();  ///< drops the messages that wait; the one being delivered has its full time
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void configure(const NotificationConfig& config);
  /// `kind`: "champion", "end", "trouble".
  void tell(std::string_view kind, std::string_view job, Json data);
  /// Waits until all messages are delivered, but no longer than that.
  void flush(std::chrono::milliseconds patience);

 private:
  struct Message {
    std::string body;
    NotificationConfig config;
  };
  void work();
  void deliver(const Message& message);
  void complain(bool& told, const std::string& what);

  std::function<void(std::string)> failed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  NotificationConfig config_;
  std::deque<Message> messages_;
  bool busy_ = false, ending_ = false;
  bool told_of_command_ = false, told_of_webhook_ = false;
  std::thread thread_;
};

}  // namespace kevolve::service
