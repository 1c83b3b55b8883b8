#pragma once
// ManualBackend: prompts into a folder, replies from it, for people who use a chat window, and for agents.
//
// For each question it writes NAME.prompt.md and waits for NAME.reply.md beside it (docs/prompts.md). A reply
// that is already there is taken at once, so that an interrupted job goes on. One thread looks for replies.

#include <filesystem>
#include <memory>

#include "core/text/result.hpp"
#include "llm_client/backend.hpp"

namespace kevolve::llm {

class ManualBackend final : public Backend {
 public:
  /// Creates the folder when it is missing.
  static Result<std::unique_ptr<ManualBackend>> open(const std::filesystem::path& folder);
  ~ManualBackend() override;
  ManualBackend(const ManualBackend&) = delete;

  [[nodiscard]] std::string name() const override { return "manual"; }
  void ask(Question question, AnswerHandler handler) override;
  void stop() override;

 private:
  struct Impl;
  explicit ManualBackend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The prompt file's text: where the reply belongs, then every message under its role.
std::string prompt_file(const Question& question, const std::filesystem::path& reply_file);

}  // namespace kevolve::llm
