#pragma once
// The commands of `kevolve`, one file each. A command adds its options to the command line and, when chosen,
// returns the exit code. main.cpp lists them; docs/command_line.md documents them.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "core/text/json.hpp"

namespace kevolve::cli {

/// Exit codes, the same for all commands.
enum ExitCode : int {
  kOk = 0,
  kRejected = 1,  ///< evaluate: stopped at a gate; archive check: not sound; verify: something does not hold
  kUsage = 2,     ///< the command line or a file given by the user is wrong
  kOperational = 3,  ///< the machine's fault: no worker, disk full, archive unreadable
  kNotFound = 4,     ///< best, show, lineage: nothing in the archive answers
  kInterrupted = 130,
};

using Command = std::function<int()>;

Command add_run(CLI::App& app);
Command add_resume(CLI::App& app);
Command add_best(CLI::App& app);
Command add_show(CLI::App& app);
Command add_lineage(CLI::App& app);
Command add_diff(CLI::App& app);
Command add_verify(CLI::App& app);
Command add_costs(CLI::App& app);
Command add_exchanges(CLI::App& app);
Command add_archive(CLI::App& app);
Command add_query(CLI::App& app);
Command add_ideas(CLI::App& app);
Command add_failures(CLI::App& app);
Command add_report(CLI::App& app);
Command add_models(CLI::App& app);
Command add_evaluate(CLI::App& app);
Command add_operators(CLI::App& app);
Command add_doctor(CLI::App& app);
Command add_submit(CLI::App& app);
Command add_status(CLI::App& app);
Command add_pause(CLI::App& app);
Command add_cancel(CLI::App& app);
Command add_priority(CLI::App& app);
Command add_workers(CLI::App& app);
Command add_events(CLI::App& app);
Command add_drain(CLI::App& app);

/// Prints "kevolve: <message>" to stderr and returns `code`.
int complain(const Error& error, ExitCode code);

void print_json(const Json& json);

/// Adds --archive, whose default is $KEVOLVE_ARCHIVE, or archive.db in the user's data folder.
void add_archive_option(CLI::App& app, std::filesystem::path& archive);

}  // namespace kevolve::cli
