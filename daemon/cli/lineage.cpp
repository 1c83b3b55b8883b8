// kevolve lineage ID: the ancestors of a candidate, as a tree.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "archive/archive.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct LineageOptions {
  std::string id;
  std::filesystem::path archive;
  int generations = archive::kLineageGenerations;
  bool json = false;
};

/// A tree is walked, and freed, by functions that call themselves.
constexpr int kMostGenerations = 1'000;

/// Deeper ones are not indented any further: a chain of thousands would be mostly blanks.
constexpr int kDeepestIndent = 40;

void print_node(const archive::LineageNode& node, int depth) {
  const std::string indent(static_cast<std::size_t>(2 * std::min(depth, kDeepestIndent)), ' ');
  const std::string deep = depth > kDeepestIndent ? fmt::format("({}) ", depth) : std::string();
  const std::string how = node.relation ? fmt::format("{} ", name(*node.relation)) : std::string();
  const std::string fate = !node.verdict            ? "not judged"
                           : node.verdict->passed() ? fmt::format("{:.2f} x", node.speedup)
                                                    : std::string(name(node.verdict->outcome));
  const std::string round = node.round_number ? fmt::format("round {}", *node.round_number) : "seed";
  fmt::print("{}{}{}{}  {}  {}  {}{}\n", indent, deep, how, node.hash.substr(0, 12), round, fate,
             in_tunables(node.tunables), node.repeated ? "  (see above)" : "");
  for (const std::string& line : wrapped(node.idea_text, 90)) fmt::print("{}    {}\n", indent, line);
  for (const archive::LineageNode& parent : node.parents) print_node(parent, depth + 1);
}

/// Ancestors in the tree, each once.
std::int64_t shown(const archive::LineageNode& node) {
  std::int64_t count = 0;
  for (const archive::LineageNode& parent : node.parents) count += (parent.repeated ? 0 : 1) + shown(parent);
  return count;
}

Result<void> print_tree(archive::Archive& archive, const archive::LineageNode& tree) {
  constexpr std::int64_t kMostCounted = 1'000;
  print_node(tree, 0);
  const std::int64_t here = shown(tree);
  const Result<std::int64_t> all = archive.count_ancestors(tree.candidate, here + kMostCounted + 1);
  if (!all) return failure(all.error());
  const std::int64_t further = *all - here;
  if (further > 0)
    fmt::print("{}{} further ancestors; --generations N shows more\n",
               further > kMostCounted ? "more than " : "", std::min(further, kMostCounted));
  return {};
}

int lineage(const LineageOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<archive::CandidateDetail> detail = archive->show(options.id);
  if (!detail) return complain(detail.error(), kNotFound);
  const Result<archive::LineageNode> tree = archive->lineage(detail->candidate.id, options.generations);
  if (!tree) return complain(tree.error(), kOperational);
  if (options.json) {
    print_json(to_json(*tree));
    return kOk;
  }
  const Result<void> printed = print_tree(*archive, *tree);
  return printed ? kOk : complain(printed.error(), kOperational);
}

}  // namespace

Command add_lineage(CLI::App& app) {
  auto options = std::make_shared<LineageOptions>();
  CLI::App* sub = app.add_subcommand("lineage", "The ancestors of a candidate, as a tree");
  sub->add_option("id", options->id, "#NUMBER, or a candidate's hash or the beginning of it")->required();
  sub->add_option("--generations", options->generations, "How far back")
      ->check(CLI::Range(1, kMostGenerations))
      ->capture_default_str();
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return lineage(*options); };
}

}  // namespace kevolve::cli
