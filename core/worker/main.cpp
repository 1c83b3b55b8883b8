// kevolve-worker: evaluates candidates; requests on stdin, replies on stdout, logs on stderr. With --gpus (or
// --workers) it starts a process of its own for each GPU, which do the work (fan_out/fan_out.hpp).

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "core/devices/cuda/cuda_device.hpp"
#include "core/model/gpu_choice.hpp"
#include "core/process/log.hpp"
#include "core/process/places.hpp"
#include "core/worker/fan_out/children.hpp"
#include "core/worker/fan_out/fan_out.hpp"
#include "core/worker/worker.hpp"

namespace kevolve::worker {
namespace {

struct Options {
  DevicePlaces places;
  std::vector<std::string> devices;
  int compilers = 0;
  std::string gpus;
  int workers = 0;
  bool list_gpus = false;
};

int cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Result<void> print_gpus() {
  const auto uuids = cuda::gpu_uuids();
  if (!uuids) return failure(uuids.error());
  for (std::size_t i = 0; i < uuids->size(); ++i) std::cout << "cuda:" << i << ' ' << (*uuids)[i] << '\n';
  return {};
}

/// Of each child: what was asked of this process, and its share of the cores.
std::vector<std::string> child_command(const std::string& program, const Options& options,
                                       std::size_t children) {
  const int threads =
      options.places.threads > 0 ? options.places.threads : fan_out::share_of(cores(), children);
  const int compilers = options.compilers > 0 ? options.compilers : fan_out::share_of(cores(), children);
  std::vector<std::string> command = {program,
                                      "--cache",
                                      options.places.cache_folder.string(),
                                      "--threads",
                                      std::to_string(threads),
                                      "--compilers",
                                      std::to_string(compilers)};
  for (const std::string& device : options.devices) {
    command.emplace_back("--device");
    command.push_back(device);
  }
  return command;
}

Result<std::vector<fan_out::ChildPlan>> plan_children(const Options& options) {
  const std::string program = process::own_program().string();
  if (options.workers > 0) {
    const auto number = static_cast<std::size_t>(options.workers);
    return fan_out::children_alike(child_command(program, options, number), options.workers);
  }
  const auto choice = parse_gpu_choice(options.gpus);
  if (!choice) return failure(choice.error());
  const auto uuids = fan_out::list_gpus(program);
  if (!uuids) return failure(uuids.error());
  const auto chosen = chosen_gpus(*choice, static_cast<int>(uuids->size()));
  if (!chosen) return failure(chosen.error());
  return fan_out::children_on_gpus(child_command(program, options, chosen->size()), *chosen, *uuids);
}

Result<void> serve(const Options& options) {
  if (options.list_gpus) return print_gpus();
  if (options.workers > 0 || !options.gpus.empty()) {
    auto children = plan_children(options);
    if (!children) return failure(children.error());
    fan_out::FanOutSettings settings;
    settings.children = std::move(*children);
    return fan_out::serve(settings, STDIN_FILENO, STDOUT_FILENO);
  }
  if (const char* sandbox = std::getenv("KEVOLVE_SANDBOX");
      sandbox != nullptr && std::string_view(sandbox) == "off") {
    process::log_line("sandbox_off",
                      {{"reason", "KEVOLVE_SANDBOX=off: candidates are compiled and run unconfined"}});
  }
  Evaluator evaluator(options.places);
  const auto compilers = static_cast<std::size_t>(options.compilers > 0 ? options.compilers : cores());
  return Worker(evaluator, std::cin, std::cout, compilers)
      .serve(options.devices.empty() ? offered_devices() : options.devices);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Evaluates CUDA candidates. Reads requests from stdin and writes replies to stdout, one JSON object a "
      "line\n"
      "(docs/worker_protocol.md); logs to stderr. Ends at the end of stdin: kevolve-worker < requests.jsonl"};
  Options options;
  options.places.cache_folder = process::default_cache();
  app.add_option(
      "--device", options.devices,
      "Device to offer; may be repeated. Others open when a request names them. Default: cpu, every "
      "GPU, cuda:sm_90a");
  app.add_option("--cache", options.places.cache_folder, "Folder of compiled candidates")
      ->capture_default_str();
  app.add_option("--threads", options.places.threads, "Threads of the cpu device; 0: all")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--compilers", options.compilers, "Candidates compiled at once; 0: one for each core")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  auto* gpus = app.add_option(
      "--gpus", options.gpus,
      "Judge on several GPUs at once, a process for each, in which it is cuda:0: 'all', how many, such as 4, "
      "or which, such as cuda:0,cuda:2");
  app.add_option("--workers", options.workers,
                 "Judge in so many processes at once, all on the same devices. They disturb each other's "
                 "times")
      ->check(CLI::Range(1, 256))
      ->excludes(gpus);
  app.add_flag("--list-gpus", options.list_gpus, "Print the GPUs that the driver sees, and end");
  app.set_version_flag("--version", KEVOLVE_VERSION);
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  if (const auto served = serve(options); !served) {
    process::log_line("worker_failed", {{"reason", served.error().message}});
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace kevolve::worker

int main(int argc, char** argv) {
  return kevolve::worker::run(argc, argv);
}
