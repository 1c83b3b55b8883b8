// kevolve archive …: looking after the archive file itself.

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "archive/archive.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

namespace fs = std::filesystem;

struct ArchiveOptions {
  fs::path archive, file;
  std::vector<fs::path> files;
  bool json = false, samples = false, prompts = false, losers = false, dry_run = false,
       tuning_results = false;
  int older_than_days = 0;
  std::string op, workload, device;
};

int info(const ArchiveOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<archive::ArchiveInfo> found = archive->info();
  if (!found) return complain(found.error(), kOperational);
  if (options.json) {
    print_json(to_json(*found));
    return kOk;
  }
  fmt::print("{}\n  schema {}, uid {}\n  {} ({} free in it, journal {}), {} an evaluation\n",
             options.archive.string(), found->schema, found->uid,
             in_bytes(static_cast<double>(found->file_bytes)),
             in_bytes(static_cast<double>(found->free_bytes)),
             in_bytes(static_cast<double>(found->journal_bytes)), in_bytes(found->bytes_per_evaluation()));
  if (found->oldest)
    fmt::print("  evaluations from {} to {}\n", archive::to_iso8601(*found->oldest),
               archive::to_iso8601(*found->newest));
  std::vector<std::vector<std::string>> tables, operators;
  for (const archive::TableSize& size : found->tables)
    tables.push_back({size.table, fmt::format("{}", size.rows)});
  for (const archive::OperatorSize& size : found->operators) {
    operators.push_back({size.name, fmt::format("{}", size.versions), fmt::format("{}", size.ideas),
                         fmt::format("{}", size.candidates), fmt::format("{}", size.evaluations),
                         fmt::format("{}", size.verified)});
  }
  fmt::print("\n{}\n{}", table({"table", "rows"}, tables),
             table({"operator", "versions", "ideas", "candidates", "evaluations", "verified"}, operators));
  return kOk;
}

int check(const ArchiveOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::vector<std::string>> problems = archive->problems();
  if (!problems) return complain(problems.error(), kOperational);
  if (options.json) {
    print_json({{"sound", problems->empty()}, {"problems", *problems}});
  } else if (problems->empty()) {
    fmt::print("{}: sound\n", options.archive.string());
  } else {
    for (const std::string& problem : *problems) fmt::print("{}\n", problem);
    fmt::print(
        "Keep a copy of the file as it is. Restore a backup (kevolve archive backup makes them), or salvage "
        "what is\n"
        "readable: kevolve archive export writes every row up to the first damaged one, sqlite3's .recover "
        "most "
        "others.\n");
  }
  return problems->empty() ? kOk : kRejected;
}

int backup(const ArchiveOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  if (const Result<void> done = archive->backup(options.file); !done)
    return complain(done.error(), kOperational);
  const auto bytes = static_cast<std::int64_t>(fs::file_size(options.file));
  if (options.json) {
    print_json({{"file", options.file.string()}, {"bytes", bytes}});
  } else {
    fmt::print("{}: {}\n", options.file.string(), in_bytes(static_cast<double>(bytes)));
  }
  return kOk;
}

void print_merge(const fs::path& file, const archive::MergeReport& report) {
  fmt::print("{}{}\n", file.string(), report.changed() ? "" : ": nothing new");
  std::vector<std::vector<std::string>> rows;
  for (const archive::MergeReport::Rows& r : report.tables)
    rows.push_back({r.table, fmt::format("{}", r.added), fmt::format("{}", r.known)});
  if (report.changed()) fmt::print("{}", table({"table", "added", "known"}, rows));
  for (const std::string& job : report.renamed_jobs) fmt::print("another job has the name: {}\n", job);
  if (report.champions_kept > 0) fmt::print("champions of ours that stay ahead: {}\n", report.champions_kept);
}

int merge(const ArchiveOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  Json list = Json::array();
  for (const fs::path& file : options.files) {
    const Result<archive::MergeReport> report = archive->merge(file);
    if (!report) return complain(report.error(), kOperational);
    if (options.json) {
      list.push_back(to_json(*report));
      list.back()["file"] = file.string();
    } else {
      print_merge(file, *report);
    }
  }
  if (options.json) print_json(list);
  return kOk;
}

int prune(const ArchiveOptions& options) {
  if (!options.samples && !options.prompts && !options.losers)
    return complain({"say what to drop: --samples, --prompts or --losers; --dry-run only counts"}, kUsage);
  archive::PruneOptions what{options.samples, options.prompts, options.losers, {}, options.dry_run};
  if (options.older_than_days > 0) {
    what.before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) -
                  std::chrono::hours(24) * options.older_than_days;
  }
  if (!fs::exists(options.archive))
    return complain({fmt::format("archive '{}': no such file", options.archive.string())}, kOperational);
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<archive::PruneReport> report = archive->prune(what);
  if (!report) return complain(report.error(), kOperational);
  if (options.json) {
    print_json(to_json(*report));
    return kOk;
  }
  const char* did = options.dry_run ? "would drop" : "dropped";
  if (options.losers)
    fmt::print("{} {} candidates with {} evaluations and {} sources\n", did, report->candidates,
               report->evaluations, report->sources);
  if (options.samples)
    fmt::print("{} raw samples of {} measurements, {}\n", did, report->sample_rows,
               in_bytes(static_cast<double>(report->sample_bytes)));
  if (options.prompts)
    fmt::print("{} {} prompt texts, {}\n", did, report->prompt_texts,
               in_bytes(static_cast<double>(report->prompt_bytes)));
  fmt::print("file: {} -> {}\n", in_bytes(static_cast<double>(report->file_bytes_before)),
             in_bytes(static_cast<double>(report->file_bytes_after)));
  return kOk;
}

int export_archive(const ArchiveOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const auto write = [](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  };
  if (options.tuning_results) {
    if (options.op.empty() || options.workload.empty())
      return complain({"--tuning-results describes one tuning problem: give --operator and --workload"},
                      kUsage);
    archive::RankingQuery query;
    query.operator_name = options.op;
    query.workload = options.workload;
    query.device = options.device;
    const Result<std::int64_t> count = archive->export_tuning_results(query, write);
    if (!count) return complain(count.error(), kOperational);
    if (*count == 0)
      return complain({"the archive has no such evaluations: the results are empty"}, kNotFound);
  } else if (const Result<void> done = archive->export_lines(write); !done) {
    return complain(done.error(), kOperational);
  }
  if (std::fflush(stdout) != 0)
    return complain({"the export could not be written; is the disk full?"}, kOperational);
  return kOk;
}

int import_archive(const ArchiveOptions& options) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) return complain({fmt::format("'{}' cannot be read", options.file.string())}, kUsage);
  }
  std::istream& in = options.file == "-" ? std::cin : file;
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::int64_t> rows =
      archive->import_lines([&](std::string& line) { return static_cast<bool>(std::getline(in, line)); });
  if (!rows) return complain(rows.error().in(options.file.string()), kUsage);
  if (options.json) {
    print_json({{"rows", *rows}});
  } else {
    fmt::print("{} rows into {}\n", *rows, options.archive.string());
  }
  return kOk;
}

using Shared = std::shared_ptr<ArchiveOptions>;
using Action = std::shared_ptr<Command>;

CLI::App* part(CLI::App& parent, const char* name, const char* what, const Shared& options,
               const Action& chosen, int (*action)(const ArchiveOptions&)) {
  CLI::App* sub = parent.add_subcommand(name, what);
  add_archive_option(*sub, options->archive);
  sub->add_flag("--json", options->json, "For scripts");
  sub->callback([=] { *chosen = [=] { return action(*options); }; });
  return sub;
}

}  // namespace

Command add_archive(CLI::App& app) {
  auto options = std::make_shared<ArchiveOptions>();
  auto chosen = std::make_shared<Command>();
  CLI::App* sub =
      app.add_subcommand("archive", "Look after the archive: size, check, backup, merge, prune, export");
  sub->require_subcommand(1);
  part(*sub, "info", "Size, rows by table and operator, growth", options, chosen, info);
  part(*sub, "check", "Is the archive sound? Exit code 1: no", options, chosen, check);
  part(*sub, "backup", "A copy in a new file, while others write", options, chosen, backup)
      ->add_option("file", options->file, "New file")
      ->required();
  part(*sub, "merge", "Bring in what other archives have and this one lacks", options, chosen, merge)
      ->add_option("files", options->files, "Other archives; they are only read")
      ->required()
      ->check(CLI::ExistingFile);
  CLI::App* pruning = part(*sub, "prune", "Give space back", options, chosen, prune);
  pruning->add_flag("--samples", options->samples, "Raw samples, except champions'");
  pruning->add_flag("--prompts", options->prompts, "Texts of prompts; replies stay");
  pruning->add_flag("--losers", options->losers,
                    "Candidates that never passed and that nothing descends from");
  pruning->add_option("--older-than", options->older_than_days, "Only what is older than this many days")
      ->check(CLI::Range(1, 36500));
  pruning->add_flag("--dry-run", options->dry_run, "Say what and how much, change nothing");
  CLI::App* exporting =
      part(*sub, "export", "All rows as JSON Lines, to stdout", options, chosen, export_archive);
  exporting->add_flag("--tuning-results", options->tuning_results,
                      "Instead: the auto-tuners' format T4 1.0.0");
  exporting->add_option("--operator", options->op, "Of --tuning-results");
  exporting->add_option("--workload", options->workload, "Of --tuning-results");
  exporting->add_option("--device", options->device, "Of --tuning-results, by name, model or key");
  part(*sub, "import", "What export wrote, into an archive without rows", options, chosen, import_archive)
      ->add_option("file", options->file, "The export, or - for stdin")
      ->required();
  return [chosen] { return (*chosen)(); };
}

}  // namespace kevolve::cli
