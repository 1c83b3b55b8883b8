#include "llm_client/recording.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::llm {

std::string prompt_hash(const std::vector<Message>& messages) {
  std::string all;
  for (const Message& message : messages) {
    all += fmt::format("{}:{}:", static_cast<int>(message.role), message.text.size());
    all += message.text;
  }
  return sha256_hex(all);
}

Json to_json(const RecordedExchange& exchange) {
  const ChatReply& reply = exchange.reply;
  return {{"operator", exchange.key.operator_name},
          {"workload", exchange.key.workload},
          {"round", exchange.key.round},
          {"slot", exchange.key.slot},
          {"prompt_sha256", exchange.prompt_hash},
          {"model", reply.model},
          {"served_by", reply.served_by},
          {"finish", name(reply.finish)},
          {"input_tokens", reply.usage.input},
          {"cached_tokens", reply.usage.cached_input},
          {"output_tokens", reply.usage.output},
          {"reasoning_tokens", reply.usage.reasoning},
          {"usage_estimated", reply.usage_estimated},
          {"latency_ms", reply.latency.count()},
          {"reasoning", reply.reasoning},
          {"text", reply.text}};
}

Result<RecordedExchange> recorded_exchange_from_json(const Json& json, std::string_view where) {
  try {
    RecordedExchange x;
    x.key = {json.at("operator").get<std::string>(), json.at("workload").get<std::string>(),
             json.at("round").get<int>(), json.at("slot").get<std::string>()};
    x.prompt_hash = json.value("prompt_sha256", "");
    x.reply.text = json.at("text").get<std::string>();
    x.reply.reasoning = json.value("reasoning", "");
    x.reply.model = json.value("model", "");
    x.reply.served_by = json.value("served_by", "");
    x.reply.finish = finish_from_name(json.value("finish", "stop")).value_or(Finish::unknown);
    x.reply.usage = {
        json.value("input_tokens", std::int64_t{0}), json.value("cached_tokens", std::int64_t{0}),
        json.value("output_tokens", std::int64_t{0}), json.value("reasoning_tokens", std::int64_t{0})};
    x.reply.usage_estimated = json.value("usage_estimated", false);
    x.reply.latency = std::chrono::milliseconds(json.value("latency_ms", std::int64_t{0}));
    return x;
  } catch (const Json::exception& error) {
    return failure(fmt::format(
        "{}: not a recorded exchange ({}); expected an object with operator, workload, round, slot and text",
        where, error.what()));
  }
}

Result<std::map<ExchangeKey, RecordedExchange>> load_recording(const std::filesystem::path& file) {
  const Result<std::string> text = read_text_file(file);
  if (!text) return failure(text.error());
  std::map<ExchangeKey, RecordedExchange> exchanges;
  std::size_t begin = 0;
  for (int number = 1; begin < text->size(); ++number) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string_view line = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = fmt::format("{}:{}", file.string(), number);
    const Result<Json> json = parse_json(line, where);
    if (!json) return failure(json.error());
    Result<RecordedExchange> exchange = recorded_exchange_from_json(*json, where);
    if (!exchange) return failure(exchange.error());
    exchanges[exchange->key] = std::move(*exchange);
  }
  return exchanges;
}

// ------------------------------------------------------------------------------------------ recording

struct RecordingBackend::File {
  std::mutex mutex;
  std::ofstream out;
};

RecordingBackend::RecordingBackend(std::shared_ptr<File> file, std::unique_ptr<Backend> inner)
    : file_(std::move(file)), inner_(std::move(inner)) {}
RecordingBackend::~RecordingBackend() = default;

Result<std::unique_ptr<RecordingBackend>> RecordingBackend::open(const std::filesystem::path& file,
                                                                 std::unique_ptr<Backend> inner) {
  auto shared = std::make_shared<File>();
  shared->out.open(file, std::ios::binary | std::ios::app);
  if (!shared->out)
    return failure(
        fmt::format("cannot open {} to record exchanges: {}", file.string(), std::strerror(errno)));
  return std::unique_ptr<RecordingBackend>(new RecordingBackend(std::move(shared), std::move(inner)));
}

std::string RecordingBackend::name() const {
  return inner_->name();
}

void RecordingBackend::ask(Question question, AnswerHandler handler) {
  RecordedExchange exchange{question.key, prompt_hash(question.messages), {}};
  inner_->ask(std::move(question), [file = file_, exchange = std::move(exchange),
                                    handler = std::move(handler)](ChatResult result) mutable {
    if (result) {
      exchange.reply = *result;
      const std::lock_guard lock(file->mutex);
      file->out << to_json(exchange).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n'
                << std::flush;
    }
    handler(std::move(result));
  });
}

void RecordingBackend::stop() {
  inner_->stop();
}

// --------------------------------------------------------------------------------------------- replay

struct ReplayBackend::Impl {
  Impl() : thread([this] { work(); }) {}
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      closing = true;
      changed.notify_all();
    }
    thread.join();
  }
  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return closing || !tasks.empty(); });
      if (tasks.empty()) return;
      const std::function<void()> task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::map<ExchangeKey, RecordedExchange> exchanges;
  std::string file;
  BackendEvents events;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> tasks;
  bool stopped = false, closing = false, told_of_change = false;
  std::thread thread;  // last: it uses the others
};

Result<std::unique_ptr<ReplayBackend>> ReplayBackend::open(const std::filesystem::path& file,
                                                           BackendEvents events) {
  auto exchanges = load_recording(file);
  if (!exchanges) return failure(exchanges.error());
  return std::make_unique<ReplayBackend>(std::move(*exchanges), file.string(), std::move(events));
}

ReplayBackend::ReplayBackend(std::map<ExchangeKey, RecordedExchange> exchanges, std::string file,
                             BackendEvents events)
    : impl_(std::make_unique<Impl>()) {
  impl_->exchanges = std::move(exchanges);
  impl_->file = std::move(file);
  impl_->events = std::move(events);
}
ReplayBackend::~ReplayBackend() = default;

void ReplayBackend::ask(Question question, AnswerHandler handler) {
  const std::lock_guard lock(impl_->mutex);
  impl_->tasks.push_back([this, question = std::move(question), handler = std::move(handler)] {
    bool stopped = false;
    {
      const std::lock_guard inner(impl_->mutex);
      stopped = impl_->stopped;
    }
    const auto found = impl_->exchanges.find(question.key);
    if (stopped) {
      handler(tl::unexpected(ChatError{ChatError::Kind::cancelled, "stopped"}));
    } else if (found == impl_->exchanges.end()) {
      handler(tl::unexpected(
          ChatError{ChatError::Kind::refused,
                    fmt::format("{} holds no exchange {}", impl_->file, to_string(question.key))}));
    } else {
      if (!found->second.prompt_hash.empty() && found->second.prompt_hash != prompt_hash(question.messages) &&
          !std::exchange(impl_->told_of_change, true)) {
        impl_->events.noted(
            fmt::format("{}: the prompt of {} is another than when it was recorded; its recorded reply is "
                        "used all the same",
                        impl_->file, to_string(question.key)));
      }
      ChatReply reply = found->second.reply;
      reply.cost_usd = 0;  // paid when it was recorded
      handler(std::move(reply));
    }
  });
  impl_->changed.notify_all();
}

void ReplayBackend::stop() {
  const std::lock_guard lock(impl_->mutex);
  impl_->stopped = true;
}

}  // namespace kevolve::llm
