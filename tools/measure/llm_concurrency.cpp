// 64 requests at once, each answered after 30 s, through one HttpBackend against the fault server: what they
// cost in threads and memory. usage: llm_concurrency [REQUESTS [LATENCY_SECONDS]]

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "llm_client/http/http_backend.hpp"
#include "tests/fault_server/fault_server.hpp"

namespace {

using namespace kevolve;
using namespace kevolve::llm;
using Clock = std::chrono::steady_clock;

/// "Threads", "VmRSS" (in kB) and the like of this process.
long of_process(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != field + ":") continue;
    long value = 0;
    status >> value;
    return value;
  }
  return 0;
}

void report(const char* when, Clock::time_point begin, int answered) {
  fmt::print("{:<22} t={:5.1f} s  answered={:3}  threads={}  rss_mib={:.1f}\n", when,
             std::chrono::duration<double>(Clock::now() - begin).count(), answered, of_process("Threads"),
             static_cast<double>(of_process("VmRSS")) / 1024);
}

Result<std::unique_ptr<HttpBackend>> open_backend(const std::string& url, int requests) {
  Json document;
  document["endpoints"]["e"] = {{"api", "openai"}, {"url", url}, {"concurrency", requests}};
  document["models"]["m"] = {{"endpoint", "e"}, {"model", "x"}};
  const auto file = parse_models(document, "models");
  if (!file) return failure(file.error());
  return HttpBackend::open(*file, {{"m"}}, {}, {});
}

}  // namespace

int main(int argc, char** argv) {
  const int requests = argc > 1 ? std::atoi(argv[1]) : 64;
  const double latency = argc > 2 ? std::atof(argv[2]) : 30;
  const testing::FaultServer server;
  const std::string prompt(20'000, 'x');  // as long as a prompt with a contract and a parent's source
  std::atomic<int> answered = 0, failed = 0;
  const auto begin = Clock::now();
  report("before", begin, 0);
  const long rss_before = of_process("VmRSS");
  auto backend = open_backend(server.url(fmt::format("slow:wait={:.0f}", latency * 1e3)), requests);
  if (!backend) {
    fmt::print(stderr, "{}\n", backend.error().message);
    return 1;
  }
  for (int i = 0; i < requests; ++i) {
    Question question;
    question.key = {"softmax", "small", 1, fmt::format("idea-{}", i)};
    question.messages = {{Role::user, fmt::format("{} {}", i, prompt), false}};
    (*backend)->ask(std::move(question), [&](ChatResult result) { ++(result ? answered : failed); });
  }
  long rss_most = 0;
  bool reported = false;
  while (answered + failed < requests) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    rss_most = std::max(rss_most, of_process("VmRSS"));
    if (reported || Clock::now() - begin < std::chrono::duration<double>(latency / 2)) continue;
    report("all under way", begin, answered);
    reported = true;
  }
  report("all answered", begin, answered);
  fmt::print("requests={} latency_s={} failed={} extra_rss_mib={:.1f}\n", requests, latency, failed.load(),
             static_cast<double>(rss_most - rss_before) / 1024);
  return failed == 0 ? 0 : 1;
}
