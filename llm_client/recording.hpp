#pragma once
// Recorded exchanges: one JSON object a line, written by RecordingBackend and read by ReplayBackend. For
// tests, demonstrations and exact re-runs. Holds no keys, and of a prompt its hash only.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/text/json.hpp"
#include "llm_client/backend.hpp"

namespace kevolve::llm {

struct RecordedExchange {
  ExchangeKey key;
  std::string prompt_hash;  ///< prompt_hash() of the question
  ChatReply reply;
};

/// SHA-256 over roles and texts, hex.
std::string prompt_hash(const std::vector<Message>& messages);

Json to_json(const RecordedExchange& exchange);
/// `where`: file and line, for errors.
Result<RecordedExchange> recorded_exchange_from_json(const Json& json, std::string_view where);

/// All exchanges of a recording by key; of equal keys the last one.
Result<std::map<ExchangeKey, RecordedExchange>> load_recording(const std::filesystem::path& file);

/// Passes questions on and appends every answered one to a file.
class RecordingBackend final : public Backend {
 public:
  static Result<std::unique_ptr<RecordingBackend>> open(const std::filesystem::path& file,
                                                        std::unique_ptr<Backend> inner);
  ~RecordingBackend() override;
  RecordingBackend(const RecordingBackend&) = delete;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] bool worth_waiting_for() const override { return inner_->worth_waiting_for(); }
  [[nodiscard]] bool may_lack_answers() const override { return inner_->may_lack_answers(); }
  void ask(Question question, AnswerHandler handler) override;
  void stop() override;

 private:
  struct File;
  RecordingBackend(std::shared_ptr<File> file, std::unique_ptr<Backend> inner);
  std::shared_ptr<File> file_;  ///< shared with the handlers of questions under way
  std::unique_ptr<Backend> inner_;
};

/// Answers from a recording, by key. A question that it does not hold is `refused`.
class ReplayBackend final : public Backend {
 public:
  static Result<std::unique_ptr<ReplayBackend>> open(const std::filesystem::path& file, BackendEvents events);
  ReplayBackend(std::map<ExchangeKey, RecordedExchange> exchanges, std::string file, BackendEvents events);
  ~ReplayBackend() override;
  ReplayBackend(const ReplayBackend&) = delete;

  [[nodiscard]] std::string name() const override { return "replay"; }
  [[nodiscard]] bool may_lack_answers() const override { return true; }
  void ask(Question question, AnswerHandler handler) override;
  void stop() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kevolve::llm
