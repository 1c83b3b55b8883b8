#include "llm_client/manual_backend.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <list>
#include <mutex>
#include <thread>

#include "core/text/json.hpp"

namespace kevolve::llm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr std::int64_t kCharactersPerToken = 4;

std::int64_t tokens_of(std::size_t characters) {
  return static_cast<std::int64_t>(characters) / kCharactersPerToken;
}

/// Complete or not at all: whoever watches the folder never sees half a prompt.
Result<void> write_whole(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path half = std::filesystem::path(path) += ".part";
  std::ofstream out(half, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(half, path, error);
  if (!out || error)
    return failure(fmt::format("cannot write {}: {}", path.string(),
                               error ? error.message() : std::string(std::strerror(errno))));
  return {};
}

struct Waiting {
  Question question;
  AnswerHandler handler;
  std::filesystem::path reply;
  Clock::time_point asked = Clock::now();
  std::uintmax_t seen_bytes = 0;  ///< of the reply at the last look: taken when it no longer grows
  bool failed = false;
  std::string failure = {};
};

}  // namespace

std::string prompt_file(const Question& question, const std::filesystem::path& reply_file) {
  std::string text = fmt::format(
      "<!-- kevolve asks: {}. Write the answer, as it is, to {} beside this file. It is read once, so "
      "write it elsewhere and move it there when it is final. -->\n",
      to_string(question.key), reply_file.filename().string());
  for (const Message& message : question.messages) {
    text += fmt::format("\n<!-- {} -->\n\n{}\n", name(message.role), message.text);
  }
  return text;
}

struct ManualBackend::Impl {
  explicit Impl(std::filesystem::path path) : folder(std::move(path)), thread([this] { watch(); }) {}
  ~Impl() {
    stop();
    {
      const std::lock_guard lock(mutex);
      closing = true;
      changed.notify_all();
    }
    thread.join();
  }

  void stop() {
    const std::lock_guard lock(mutex);
    stopped = true;
    changed.notify_all();
  }

  void watch() {
    std::unique_lock lock(mutex);
    while (true) {
      std::list<Waiting> answered;
      for (auto it = waiting.begin(); it != waiting.end();) {
        const auto next = std::next(it);
        if (stopped || it->failed || is_complete(*it)) answered.splice(answered.end(), waiting, it);
        it = next;
      }
      if (!answered.empty()) {
        const bool cancelled = stopped;
        lock.unlock();
        for (Waiting& one : answered) one.handler(answer(one, cancelled));
        lock.lock();
        continue;
      }
      if (closing) return;
      changed.wait_for(lock, kLookEvery);
    }
  }

  /// True when the reply is there and did not grow since the last look.
  static bool is_complete(Waiting& one) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(one.reply, error);
    const bool complete = !error && bytes > 0 && bytes == one.seen_bytes;
    one.seen_bytes = error ? 0 : bytes;
    return complete;
  }

  static ChatResult answer(const Waiting& one, bool cancelled) {
    if (one.failed) return tl::unexpected(ChatError{ChatError::Kind::refused, one.failure});
    if (cancelled) return tl::unexpected(ChatError{ChatError::Kind::cancelled, "stopped"});
    const Result<std::string> text = read_text_file(one.reply);
    if (!text) return tl::unexpected(ChatError{ChatError::Kind::refused, text.error().message});
    ChatReply reply;
    reply.text = *text;
    reply.model = "manual";
    reply.finish = Finish::stop;
    for (const Message& message : one.question.messages) reply.usage.input += tokens_of(message.text.size());
    reply.usage.output = tokens_of(text->size());
    reply.usage_estimated = true;
    reply.cost_usd = 0;
    reply.latency = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - one.asked);
    return reply;
  }

  const std::filesystem::path folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::list<Waiting> waiting;
  bool stopped = false;  ///< everything is cancelled
  bool closing = false;  ///< the thread ends
  std::thread thread;    // last: it uses the others
};

ManualBackend::ManualBackend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ManualBackend::~ManualBackend() = default;

Result<std::unique_ptr<ManualBackend>> ManualBackend::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return failure(
        fmt::format("cannot create the folder for prompts, {}: {}", folder.string(), error.message()));
  return std::unique_ptr<ManualBackend>(new ManualBackend(std::make_unique<Impl>(folder)));
}

void ManualBackend::ask(Question question, AnswerHandler handler) {
  const std::string stem = file_stem(question.key);
  Waiting one{std::move(question), std::move(handler), impl_->folder / (stem + ".reply.md")};
  const Result<void> written =
      write_whole(impl_->folder / (stem + ".prompt.md"), prompt_file(one.question, one.reply));
  if (!written) {
    one.failed = true;
    one.failure = written.error().message;
  }
  const std::lock_guard lock(impl_->mutex);
  impl_->waiting.push_back(std::move(one));
  impl_->changed.notify_all();
}

void ManualBackend::stop() {
  impl_->stop();
}

}  // namespace kevolve::llm
