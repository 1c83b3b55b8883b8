// Ideas by the words in them (FTS5, table idea_words).

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"

namespace kevolve {
namespace {

/// Each word quoted, so that FTS5's own syntax is out of reach.
std::string match_expression(const std::vector<std::string>& words) {
  std::string expression;
  for (const std::string& word : words) {
    std::string quoted = "\"";
    for (const char c : word) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    expression += (expression.empty() ? "" : " ") + quoted + "\"";
  }
  return expression;
}

}  // namespace

Result<std::vector<FoundIdea>> Archive::find_ideas(const std::vector<std::string>& words,
                                                   std::string_view operator_name, int limit) {
  return impl_->read([&] {
    Statement rows(impl_->connection, queries::kIdeasByWords);
    rows.bind(match_expression(words), operator_name, limit);
    std::vector<FoundIdea> found;
    while (rows.step()) {
      FoundIdea& idea = found.emplace_back();
      rows.read(idea.idea, idea.operator_name, idea.source, idea.key, idea.text, idea.excerpt, idea.job,
                idea.attempts, idea.passed, idea.best_speedup);
    }
    return found;
  });
}

Json to_json(const FoundIdea& idea) {
  return {{"idea", idea.idea.value},
          {"operator", idea.operator_name},
          {"source", idea.source},
          {"key", idea.key},
          {"text", idea.text},
          {"excerpt", idea.excerpt},
          {"job", idea.job.empty() ? Json() : Json(idea.job)},
          {"attempts", idea.attempts},
          {"passed", idea.passed},
          {"best_speedup", idea.best_speedup}};
}

}  // namespace kevolve
