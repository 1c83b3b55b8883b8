// simulated-worker: speaks the worker protocol (docs/worker_protocol.md) without compiling or running
// anything: what it says of a candidate follows from the candidate's hash (simulation.hpp). For tests of
// everything that stands before a worker, thousands of evaluations a minute, with the faults that workers
// have.
//
// It takes the place of a launcher: what follows its own options (the real worker's command line) is ignored.
//
//   { "name": "soak", "operators": ["gelu"], "launcher": ["build/bin/simulated-worker", "--delay-ms", "5",
//   "--"] }
//
// One request at a time, in order. The end of its input ends it.

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <random>
#include <thread>

#include "tests/simulated_worker/simulation.hpp"

namespace kevolve::testing {
namespace {

struct Settings {
  std::vector<std::string> devices = {"cpu"};
  std::string model = "simulated";
  std::string version = "simulated";
  int parallel = 1;
  int hello_delay_ms = 0, delay_ms = 0, jitter_ms = 0;
  double crash = 0, hang = 0, garbage = 0, error = 0;
  std::string poison;
  bool never_start = false;
  std::uint64_t seed = 0;
  std::vector<std::string> rest;
};

void say(const WorkerReply& reply) {
  std::cout << to_line(reply) << '\n' << std::flush;
}

class SimulatedWorker {
 public:
  explicit SimulatedWorker(const Settings& settings)
      : settings_(settings), random_(settings.seed != 0 ? settings.seed : std::random_device{}()) {}

  int serve() {
    pause(settings_.hello_delay_ms);
    if (settings_.never_start) return 1;
    Hello hello;
    hello.version = settings_.version;
    hello.parallel = settings_.parallel;
    for (const std::string& device : settings_.devices)
      hello.devices.push_back(simulated_device(device, settings_.model));
    say(hello);
    for (std::string line; std::getline(std::cin, line) && std::cout;) answer(line);
    return std::cout ? 0 : 1;
  }

 private:
  static void pause(int ms) {
    if (ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  }
  bool happens(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }

  bool is_poison(const std::string& line) const {
    return !settings_.poison.empty() && id_in(line) == settings_.poison;
  }

  void answer(const std::string& line) {
    const Result<WorkerRequest> request = request_from_line(line);
    if (!request) return say(ErrorReply{"", request.error().message});
    pause(settings_.delay_ms + (settings_.jitter_ms > 0
                                    ? std::uniform_int_distribution<int>(0, settings_.jitter_ms)(random_)
                                    : 0));
    if (happens(settings_.crash) || is_poison(line)) ::raise(SIGKILL);
    while (happens(settings_.hang)) ::pause();
    if (happens(settings_.garbage)) std::cout << "this is no reply\n" << std::flush;
    if (const auto* admit = std::get_if<AdmitRequest>(&*request))
      return say(AdmissionReply{admit->id, true, ""});
    const auto& evaluate = std::get<EvaluateRequest>(*request);
    if (happens(settings_.error)) return say(ErrorReply{evaluate.id, "a simulated failure of the machine"});
    say(EvaluationReply{evaluate.id, simulate(evaluate, simulated_device(evaluate.device, settings_.model))});
  }

  const Settings settings_;
  std::mt19937_64 random_;
};

int run_main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Speaks the worker protocol; verdicts and times follow from candidates' hashes.");
  app.add_option("--device", settings.devices, "Devices to offer");
  app.add_option("--model", settings.model, "What it calls its device: workers of one pool must agree");
  app.add_option("--worker-version", settings.version, "What its hello says");
  app.add_option("--parallel", settings.parallel, "Candidates that it says it judges at once");
  app.add_option("--hello-delay-ms", settings.hello_delay_ms, "Before it says hello");
  app.add_option("--delay-ms", settings.delay_ms, "Each evaluation");
  app.add_option("--jitter-ms", settings.jitter_ms, "Up to so much more, by lot");
  app.add_option("--crash", settings.crash, "Probability of dying before a reply");
  app.add_option("--poison", settings.poison, "Id of a request that it dies of");
  app.add_option("--hang", settings.hang, "Probability of never replying again");
  app.add_option("--garbage", settings.garbage, "Probability of a line that is no reply");
  app.add_option("--error", settings.error, "Probability of an 'error' in place of an evaluation");
  app.add_option("--seed", settings.seed, "Of the faults; 0: another one each time");
  app.add_flag("--never-start", settings.never_start, "Ends with exit code 1 in place of a hello");
  app.add_option("rest", settings.rest, "The command line of the worker whose place it takes: ignored");
  CLI11_PARSE(app, argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  return SimulatedWorker(settings).serve();
}

}  // namespace
}  // namespace kevolve::testing

int main(int argc, char** argv) {
  return kevolve::testing::run_main(argc, argv);
}
