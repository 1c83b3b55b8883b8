// kevolve diff A B: what differs between two archived kernels.

#include <fmt/format.h>

#include <memory>

#include "archive/archive.hpp"
#include "archive/difference.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct DiffOptions {
  std::string a, b;
  std::filesystem::path archive;
  bool json = false, no_source = false;
};

void print_fields(const char* title, const std::vector<archive::FieldDifference>& fields) {
  if (fields.empty()) {
    fmt::print("{}: the same\n", title);
    return;
  }
  fmt::print("{}:\n", title);
  for (const archive::FieldDifference& field : fields)
    fmt::print("  {}: {} -> {}\n", field.field, field.a.value_or("(none)"), field.b.value_or("(none)"));
}

void print_idea(const char* mark, const archive::CandidateDetail& detail) {
  const char* lead = mark;
  for (const std::string& line :
       wrapped(fmt::format("({} {}) {}", detail.idea.source, detail.idea.key, detail.idea.text), 98)) {
    fmt::print("  {} {}\n", lead, line);
    lead = " ";
  }
}

/// The way from one to the other, or how long it is where nobody would read it.
std::string descent(const char* from_to, const std::vector<std::string>& steps) {
  constexpr std::size_t kReadable = 12;
  return steps.size() <= kReadable ? fmt::format("{}: {}", from_to, fmt::join(steps, ", which "))
                                   : fmt::format("{}, {} steps ago", from_to, steps.size());
}

std::string in_words(const archive::Kinship& kinship) {
  switch (kinship.kind) {
    case archive::Kinship::Kind::same:
      return "they are one candidate";
    case archive::Kinship::Kind::a_from_b:
      return descent("A comes from B", kinship.steps);
    case archive::Kinship::Kind::b_from_a:
      return descent("B comes from A", kinship.steps);
    case archive::Kinship::Kind::common:
      return fmt::format("both come from #{} {}, {} and {} steps ago", kinship.ancestor.value,
                         kinship.ancestor_hash.substr(0, 12), kinship.a_steps, kinship.b_steps);
    case archive::Kinship::Kind::none:
      break;
  }
  return "no common ancestor";
}

void print_time(const char* mark, const archive::TimeDifference::Time& time, const std::string& yardstick) {
  fmt::print("    {} {} [{}, {}]  {:.3f} x over {}, at least {:.3f} x  ({}){}\n", mark,
             in_time(time.median_us), in_time(time.low_us), in_time(time.high_us), time.speedup, yardstick,
             time.speedup_low, name(time.figure), time.refuted ? "  NO LONGER HOLDS" : "");
}

void print_times(const std::vector<archive::TimeDifference>& times) {
  if (times.empty()) fmt::print("times: nowhere were both timed\n");
  for (const archive::TimeDifference& time : times) {
    fmt::print("times, workload {} on {} ({}), {}:\n", time.workload, time.device.name, time.device.model,
               name(time.precision));
    print_time("A", time.a, time.yardstick);
    print_time("B", time.b, time.yardstick);
    if (time.a.speedup > 0 && time.b.speedup > 0) {
      fmt::print("    {} is {:.3f} times as fast by their speed-ups, timed apart; intervals {}\n",
                 time.a.speedup >= time.b.speedup ? "A" : "B",
                 std::max(time.a.speedup / time.b.speedup, time.b.speedup / time.a.speedup),
                 time.apart() ? "do not overlap" : "overlap");
    }
  }
}

void print_difference(const archive::CandidateDetail& a, const archive::CandidateDetail& b,
                      const archive::KernelDifference& found, bool with_source) {
  fmt::print("A {} #{} {}\nB {} #{} {}\n", a.operator_name, a.candidate.id.value, a.candidate.hash,
             b.operator_name, b.candidate.id.value, b.candidate.hash);
  fmt::print("lineage: {}\n", in_words(found.kinship));
  fmt::print("ideas{}\n", found.same_idea ? ": the same" : ":");
  print_idea("A", a);
  if (!found.same_idea) print_idea("B", b);
  print_fields("tunables", found.tunables);
  print_fields("launch plan", found.plan);
  print_times(found.times);
  if (!with_source) return;
  if (found.source_diff.empty()) {
    fmt::print("source: the same\n");
  } else {
    fmt::print("\n{}", found.source_diff);
  }
}

int diff(const DiffOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<archive::CandidateDetail> a = archive->show(options.a), b = archive->show(options.b);
  if (!a) return complain(a.error(), kNotFound);
  if (!b) return complain(b.error(), kNotFound);
  Result<archive::Kinship> kinship = archive->kinship(a->candidate.id, b->candidate.id);
  if (!kinship) return complain(kinship.error(), kOperational);
  const archive::KernelDifference found = difference(*a, *b, std::move(*kinship));
  if (!options.json) {
    print_difference(*a, *b, found, !options.no_source);
    return kOk;
  }
  Json json = to_json(found);
  for (const auto& [name, detail] : {std::pair("a", &*a), std::pair("b", &*b)}) {
    json[name] = {{"id", detail->candidate.id.value},  {"candidate_hash", detail->candidate.hash},
                  {"operator", detail->operator_name}, {"idea_key", detail->idea.key},
                  {"idea", detail->idea.text},         {"tunables", detail->candidate.tunables}};
  }
  print_json(json);
  return kOk;
}

}  // namespace

Command add_diff(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* sub =
      app.add_subcommand("diff", "What differs between two kernels: tunables, plan, ideas, times, source");
  sub->add_option("a", options->a, "#NUMBER, or a candidate's hash or the beginning of it")->required();
  sub->add_option("b", options->b, "The other one")->required();
  sub->add_flag("--no-source", options->no_source, "Leave the sources out");
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return diff(*options); };
}

}  // namespace kevolve::cli
