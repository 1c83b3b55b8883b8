// kevolve: the command line.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <vector>

#include "daemon/cli/commands.hpp"
#include "daemon/engine/job/places.hpp"
#include "daemon/version.hpp"

namespace kevolve::cli {

int complain(const Error& error, ExitCode code) {
  fmt::print(stderr, "kevolve: {}\n", error.message);
  return code;
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

void add_archive_option(CLI::App& app, std::filesystem::path& archive) {
  archive = engine::default_archive();
  app.add_option("--archive", archive, "The archive file")->capture_default_str();
}

namespace {

int run_main(int argc, char** argv) {
  CLI::App app(
      "kevolve searches for fast CUDA kernels by evolution: ideas in English, several implementations of "
      "each,\n"
      "gates that cannot be fooled, and an archive whose winners seed the next round.\n");
  app.name("kevolve");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done; 1 the candidate was rejected (evaluate); 2 the command line or a given file is "
      "wrong;\n"
      "3 this machine's fault (no worker, disk full, …); 4 nothing found (best, show, lineage); 130 "
      "interrupted.\n\n"
      "Start with:  kevolve run config/quickstart.json   then:  kevolve best layernorm");
  using Adder = Command (*)(CLI::App&);
  const std::vector<Adder> adders = {
      add_run,       add_resume,   add_best,    add_show,   add_lineage,   add_diff,   add_verify,
      add_report,    add_failures, add_ideas,   add_costs,  add_exchanges, add_models, add_evaluate,
      add_operators, add_query,    add_archive, add_doctor, add_submit,    add_status, add_pause,
      add_cancel,    add_priority, add_workers, add_events, add_drain};
  int exit_code = kOk;
  for (const Adder add : adders) {
    Command command = add(app);
    CLI::App* added = app.get_subcommands([](const CLI::App*) { return true; }).back();
    added->callback([command, &exit_code] { exit_code = command(); });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace kevolve::cli

int main(int argc, char** argv) {
  return kevolve::cli::run_main(argc, argv);
}
