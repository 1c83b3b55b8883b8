#include "daemon/service/notifier.hpp"

#include <fmt/format.h>

#include "core/process/command.hpp"
#include "core/text/words.hpp"
#include "llm_client/http/post_json.hpp"

namespace kevolve::service {
namespace {

/// More than wait at a time are dropped, the oldest first.
constexpr std::size_t kMostWaiting = 256;

Result<void> run(const NotificationConfig& config, const std::string& body) {
  process::CommandLimits limits;
  limits.deadline = config.timeout;
  limits.output_bytes = 4096;
  TRY(const process::CommandResult result, process::run_command(config.command, body + "\n", limits));
  if (result.timed_out)
    return failure(fmt::format("the notification's command was killed after {} s", config.timeout.count()));
  if (result.exit_code != 0)
    return failure(fmt::format("the notification's command ended with exit code {}", result.exit_code));
  return {};
}

Result<void> post(const NotificationConfig& config, const std::string& body) {
  TRY(const std::string url, read_text_file(config.webhook_file));
  return llm::post_json(std::string(trimmed(url)), body, config.timeout);
}

}  // namespace

Notifier::Notifier(std::function<void(std::string)> failed)
    : failed_(std::move(failed)), thread_([this] { work(); }) {}

Notifier::~Notifier() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    messages_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

void Notifier::configure(const NotificationConfig& config) {
  const std::lock_guard lock(mutex_);
  config_ = config;
  told_of_command_ = told_of_webhook_ = false;
}

void Notifier::tell(std::string_view kind, std::string_view job, Json data) {
  const std::lock_guard lock(mutex_);
  if (!config_.events.contains(std::string(kind))) return;
  if (config_.command.empty() && config_.webhook_file.empty()) return;
  const Json message{{"kind", kind}, {"job", job}, {"data", std::move(data)}};
  messages_.push_back({message.dump(-1, ' ', false, Json::error_handler_t::replace), config_});
  if (messages_.size() > kMostWaiting) messages_.pop_front();
  changed_.notify_all();
}

void Notifier::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return messages_.empty() && !busy_; });
}

void Notifier::complain(bool& told, const std::string& what) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(told, true)) return;
  }
  failed_(what);
}

void Notifier::deliver(const Message& message) {
  if (!message.config.command.empty()) {
    if (const auto done = run(message.config, message.body); !done)
      complain(told_of_command_, done.error().message);
  }
  if (!message.config.webhook_file.empty()) {
    if (const auto done = post(message.config, message.body); !done)
      complain(told_of_webhook_, done.error().message);
  }
}

void Notifier::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !messages_.empty(); });
    if (ending_) return;
    const Message message = std::move(messages_.front());
    messages_.pop_front();
    busy_ = true;
    lock.unlock();
    deliver(message);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace kevolve::service
