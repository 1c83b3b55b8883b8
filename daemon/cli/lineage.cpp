// kevolve lineage ID: the ancestors of a candidate, as a tree.

#include <fmt/format.h>

#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct Options {
  std::string id;
  std::filesystem::path archive;
  bool json = false;
};

void print_node(const LineageNode& node, const std::string& indent) {
  const std::string how = node.relation ? fmt::format("{} ", name(*node.relation)) : std::string();
  const std::string fate = !node.verdict            ? "not judged"
                           : node.verdict->passed() ? fmt::format("{:.2f} x", node.speedup)
                                                    : std::string(name(node.verdict->outcome));
  const std::string round = node.round_number ? fmt::format("round {}", *node.round_number) : "seed";
  fmt::print("{}{}{}  {}  {}  {}{}\n", indent, how, node.hash.substr(0, 12), round, fate,
             in_tunables(node.tunables), node.repeated ? "  (see above)" : "");
  for (const std::string& line : wrapped(node.idea_text, 90)) fmt::print("{}    {}\n", indent, line);
  for (const LineageNode& parent : node.parents) print_node(parent, indent + "  ");
}

int lineage(const Options& options) {
  Result<Archive> archive = Archive::open(options.archive, OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<CandidateDetail> detail = archive->show(options.id);
  if (!detail) return complain(detail.error(), kNotFound);
  const Result<LineageNode> tree = archive->lineage(detail->candidate.id);
  if (!tree) return complain(tree.error(), kOperational);
  if (options.json) {
    print_json(to_json(*tree));
  } else {
    print_node(*tree, "");
  }
  return kOk;
}

}  // namespace

Command add_lineage(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("lineage", "The ancestors of a candidate, as a tree");
  sub->add_option("id", options->id, "#NUMBER, or a candidate's hash or the beginning of it")->required();
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return lineage(*options); };
}

}  // namespace kevolve::cli
