// kevolve query, ideas, failures: questions about many rows of the archive.

#include <fmt/format.h>

#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct QueryOptions {
  std::string sql, op, gate;
  std::vector<std::string> words;
  std::filesystem::path archive;
  std::int64_t rows = 1000;
  double seconds = 10;
  int top = 20, examples = 2;
  bool json = false;
};

std::string in_cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_object()) return fmt::format("({} bytes)", value.at("bytes").get<std::int64_t>());
  return value.dump();
}

int query(const QueryOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  archive::SqlLimits limits;
  limits.rows = options.rows;
  limits.time = std::chrono::milliseconds(static_cast<std::int64_t>(options.seconds * 1000));
  const Result<archive::SqlTable> found = archive->select(options.sql, limits);
  if (!found) return complain(found.error(), kUsage);
  if (options.json) {
    print_json(to_json(*found));
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<Json>& row : found->rows) {
    std::vector<std::string>& cells = rows.emplace_back();
    for (const Json& value : row) cells.push_back(in_cell(value));
  }
  fmt::print("{}", table(found->columns, rows));
  if (found->more) fmt::print(stderr, "kevolve: only the first {} rows; --rows N shows more\n", options.rows);
  return kOk;
}

int ideas(const QueryOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::vector<archive::FoundIdea>> found =
      archive->find_ideas(options.words, options.op, options.top);
  if (!found) return complain(found.error(), kOperational);
  if (found->empty())
    return complain({fmt::format("no idea holds all of: {}", fmt::join(options.words, " "))}, kNotFound);
  Json list = Json::array();
  for (const archive::FoundIdea& idea : *found) {
    if (options.json) {
      list.push_back(to_json(idea));
      continue;
    }
    const std::string best = idea.best_speedup > 0 ? fmt::format(", best {:.2f} x", idea.best_speedup) : "";
    fmt::print("{}  {} {}  {} of {} attempts passed{}\n", idea.operator_name, idea.source, idea.key,
               idea.passed, idea.attempts, best);
    for (const std::string& line : wrapped(idea.excerpt, 96)) fmt::print("    {}\n", line);
  }
  if (options.json) print_json(list);
  return kOk;
}

int failures(const QueryOptions& options) {
  archive::FailureQuery query{options.op, {}, options.examples};
  if (!options.gate.empty()) {
    query.gate = gate_from_name(options.gate);
    if (!query.gate)
      return complain({fmt::format("--gate {}: expected {}", options.gate, gate_list())}, kUsage);
  }
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::vector<archive::FailureGroup>> groups = archive->failures(query);
  if (!groups) return complain(groups.error(), kOperational);
  Json list = Json::array();
  for (const archive::FailureGroup& group : *groups) {
    if (options.json) {
      list.push_back(to_json(group));
      continue;
    }
    fmt::print("{}  {}: {}  {}\n", group.operator_name, name(group.gate), name(group.outcome), group.count);
    for (const archive::FailureGroup::Example& example : group.examples) {
      fmt::print("    {} ({})\n", example.candidate_hash.substr(0, 12), example.workload);
      for (const std::string& line : wrapped(example.evidence.substr(0, 400), 96))
        fmt::print("      {}\n", line);
    }
  }
  if (options.json) print_json(list);
  if (groups->empty() && !options.json) fmt::print("no failures\n");
  return kOk;
}

}  // namespace

Command add_query(CLI::App& app) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* sub = app.add_subcommand("query", "One SELECT of your own; tables: docs/archive_schema.md");
  sub->add_option("sql", options->sql, "SELECT … (nothing can be changed)")->required();
  sub->add_option("--rows", options->rows, "The most rows to print")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  sub->add_option("--seconds", options->seconds, "Stopped after")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  sub->add_flag("--json", options->json, "For scripts: columns and rows");
  add_archive_option(*sub, options->archive);
  return [options] { return query(*options); };
}

Command add_ideas(CLI::App& app) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* sub = app.add_subcommand("ideas", "Ideas that mention something, and how they fared");
  sub->add_option("words", options->words, "All of these, by their stems")->required();
  sub->add_option("--operator", options->op, "Only of this operator");
  sub->add_option("--top", options->top, "How many")->check(CLI::Range(1, 10'000))->capture_default_str();
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return ideas(*options); };
}

Command add_failures(CLI::App& app) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* sub = app.add_subcommand("failures", "Why candidates fail: gate, outcome, how often, evidence");
  sub->add_option("operator", options->op, "Only of this operator");
  sub->add_option("--gate", options->gate, "Only at this gate");
  sub->add_option("--examples", options->examples, "Of each, the newest")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return failures(*options); };
}

}  // namespace kevolve::cli
