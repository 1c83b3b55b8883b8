// kevolve-worker: evaluates candidates; requests on stdin, replies on stdout, logs on stderr.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "core/worker/log.hpp"
#include "core/worker/worker.hpp"

namespace {

/// Below $XDG_CACHE_HOME or $HOME where such a folder exists, else in the temporary folder.
std::filesystem::path default_cache() {
  for (const auto& [variable, below] :
       {std::pair{"XDG_CACHE_HOME", "kevolve"}, std::pair{"HOME", ".cache/kevolve"}}) {
    std::error_code ignored;
    if (const char* value = std::getenv(variable);
        value != nullptr && std::filesystem::is_directory(value, ignored)) {
      return std::filesystem::path(value) / below;
    }
  }
  return std::filesystem::temp_directory_path() / ("kevolve-cache-" + std::to_string(::getuid()));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Evaluates CUDA candidates. Reads requests from stdin and writes replies to stdout, one JSON object a "
      "line\n"
      "(docs/worker_protocol.md); logs to stderr. Ends at the end of stdin: kevolve-worker < requests.jsonl"};
  kevolve::DevicePlaces places;
  places.cache_folder = default_cache();
  std::vector<std::string> devices = kevolve::offered_devices();
  app.add_option("--device", devices,
                 "Device to offer; may be repeated. Others open when a request names them")
      ->capture_default_str();
  app.add_option("--cache", places.cache_folder, "Folder of compiled candidates")->capture_default_str();
  app.add_option("--threads", places.threads, "Threads of the cpu device; 0: all")->capture_default_str();
  app.set_version_flag("--version", KEVOLVE_VERSION);
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  if (const char* sandbox = std::getenv("KEVOLVE_SANDBOX");
      sandbox != nullptr && std::string_view(sandbox) == "off") {
    kevolve::log_line("sandbox_off",
                      {{"reason", "KEVOLVE_SANDBOX=off: candidates are compiled and run unconfined"}});
  }
  kevolve::Evaluator evaluator(places);
  const auto served = kevolve::Worker(evaluator, std::cin, std::cout).serve(devices);
  if (!served) {
    kevolve::log_line("worker_failed", {{"reason", served.error().message}});
    return 1;
  }
  return 0;
}
