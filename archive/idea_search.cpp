// Ideas by the words in them (FTS5, table idea_words).

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"

namespace kevolve::archive {
namespace {

/// A word that more ideas hold says little about which of them is meant, and to rank them by it takes longer
/// than anybody would wait: FTS5's bm25() goes through all that hold it.
constexpr std::int64_t kTellingWord = 2000;

/// Quoted, so that FTS5's own syntax is out of reach.
std::string as_phrase(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

bool all_telling(Connection& connection, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    Statement query(connection, queries::kCountIdeasByWords);
    query.bind(as_phrase(word), kTellingWord + 1).step();
    std::int64_t count = 0;
    query.read(count);
    if (count > kTellingWord) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<FoundIdea>> Archive::find_ideas(const std::vector<std::string>& words,
                                                   std::string_view operator_name, int limit) {
  return impl_->read([&] {
    Connection& connection = impl_->connection;
    std::string expression;
    for (const std::string& word : words) expression += (expression.empty() ? "" : " ") + as_phrase(word);
    Statement ids(connection, all_telling(connection, words) ? queries::kIdeasByMatch : queries::kIdeasByAge);
    ids.bind(expression, operator_name, limit);
    std::vector<FoundIdea> found;
    while (ids.step()) {
      FoundIdea& idea = found.emplace_back();
      ids.read(idea.idea);
      Statement row(connection, queries::kFoundIdea);
      row.bind(expression, idea.idea).step();
      row.read(idea.idea, idea.operator_name, idea.source, idea.key, idea.text, idea.excerpt, idea.job,
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

}  // namespace kevolve::archive
