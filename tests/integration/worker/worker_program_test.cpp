// kevolve-worker as a program: request lines in, reply lines out, with the real compiler and runner.

#include <fcntl.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "core/process/child.hpp"
#include "core/process/command.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/worker/requests.hpp"

namespace kevolve {
using namespace process;
namespace {

using Catch::Matchers::ContainsSubstring;

struct Conversation {
  CommandResult process;
  std::vector<WorkerReply> replies;  ///< the hello first
};

Conversation converse(const std::string& lines, const std::string& device = "cpu",
                      const std::vector<std::string>& options = {}) {
  const auto cache = std::filesystem::path(KEVOLVE_BIN_DIR) / "../tests/worker-cache";
  std::vector<std::string> command{KEVOLVE_BIN_DIR "/kevolve-worker", "--device", device, "--cache",
                                   cache.string()};
  command.insert(command.end(), options.begin(), options.end());
  const auto done = run_command(command, lines, {.deadline = std::chrono::minutes(4)});
  if (!done) FAIL(done.error().message);
  Conversation out{*done, {}};
  std::istringstream written(done->out);
  for (std::string line; std::getline(written, line);) {
    auto reply = reply_from_line(line);
    if (!reply) FAIL(reply.error().message + "\n" + done->err);
    out.replies.push_back(std::move(*reply));
  }
  return out;
}

std::string line_of(EvaluateRequest request, const std::string& id) {
  request.id = id;
  return to_line(WorkerRequest(request)) + "\n";
}

/// A candidate over x, w, y and n with this body.
std::string kernel(const std::string& body, const std::string& header = "") {
  return candidate("k", header, R"("x", "w", "y")",
                   "__global__ void k(const float* x, const float* w, float* y, int n) {\n"
                   "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n" +
                       body + "\n}\n");
}

/// Neither gone nor waiting to be reaped.
bool runs(int process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(stat, text);
  const std::size_t name_end = text.rfind(") ");
  return name_end != std::string::npos && text[name_end + 2] != 'Z' && text[name_end + 2] != 'X';
}

const char* const kHonest = "if (i < n) y[i] = x[i] * w[i];";

}  // namespace

TEST_CASE("request lines in, replies out") {
  EvaluateRequest honest = request_for(kernel(kHonest));
  honest.compare_with = {{"naive", kernel("if (i < n) { float a = x[i], b = w[i]; y[i] = a * b; }"), {}}};
  const auto spoken =
      converse(line_of(honest, "honest") + "{\"type\": \"evaluate\", \"id\": \"half\"}\n" +
               to_line(WorkerRequest(AdmitRequest{"fit", product_operator(), "small"})) + "\n");
  CAPTURE(spoken.process.err);
  CHECK(spoken.process.exit_code == 0);
  REQUIRE(spoken.replies.size() == 4);
  CHECK(std::get<Hello>(spoken.replies[0]).devices.at(0).name == "cpu");
  const Evaluation& evaluation = std::get<EvaluationReply>(spoken.replies[1]).evaluation;
  CAPTURE(evaluation.verdict.evidence);
  REQUIRE(evaluation.verdict.passed());
  CHECK(evaluation.verdict.gate == Gate::timing);
  CHECK(evaluation.measurements.size() == 3);
  CHECK(evaluation.compile.has_value());
  CHECK(std::get<ErrorReply>(spoken.replies[2]).id == "half");
  CHECK(std::get<AdmissionReply>(spoken.replies[3]).admitted);
  CHECK_THAT(spoken.process.err, ContainsSubstring("event=evaluated id=honest device=cpu"));
}

TEST_CASE("wrong kernels stop at their gates, and do not harm those that follow") {
  struct Case {
    const char* id;
    std::string source;
    Outcome outcome;
  };
  const std::vector<Case> cases{
      {"does_not_compile", kernel("y[i] = undeclared;"), Outcome::compile_error},
      {"past_the_end", kernel("y[i] = x[i] * w[i];"), Outcome::illegal_access},
      {"off_by_one", kernel("if (i < n) y[i] = x[i] * w[i > 0 ? i - 1 : 0];"), Outcome::wrong_result},
      {"unwritten_tail", kernel("if (i < n - 3) y[i] = x[i] * w[i];"), Outcome::unwritten},
      {"writes_an_input", kernel("if (i < n) { const_cast<float*>(x)[i] = 0; y[i] = 0; }"),
       Outcome::illegal_access},
      {"missing_barrier",
       kernel("__shared__ float s[128]; s[threadIdx.x] = i < n ? x[i] : 0;\n"
              "  const int other = 127 - threadIdx.x, j = blockIdx.x * blockDim.x + other;\n"
              "  if (j < n) y[j] = s[other] * w[j] + 0 * s[threadIdx.x ^ 1];"),
       Outcome::race},
      {"never_ends", kernel("volatile float* held = y; while (held[0] != 12345.678f) {}"), Outcome::timeout},
      {"honest", kernel(kHonest), Outcome::passed}};
  std::string lines;
  for (const Case& c : cases) lines += line_of(request_for(c.source, Gate::correctness), c.id);
  const auto spoken = converse(lines);
  CAPTURE(spoken.process.err);
  REQUIRE(spoken.replies.size() == cases.size() + 1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& reply = std::get<EvaluationReply>(spoken.replies[i + 1]);
    CAPTURE(reply.id, reply.evaluation.verdict.evidence);
    CHECK(reply.id == cases[i].id);
    CHECK(name(reply.evaluation.verdict.outcome) == name(cases[i].outcome));
  }
}

TEST_CASE("a compile-only device checks CUDA without a GPU") {
  EvaluateRequest request = request_for(kernel(kHonest), Gate::compile);
  request.device = "cuda:sm_90a";
  const auto spoken = converse(line_of(request, "cuda"));
  CAPTURE(spoken.process.err);
  REQUIRE(spoken.replies.size() == 2);
  if (const auto* error = std::get_if<ErrorReply>(&spoken.replies[1])) {
    WARN("no compile-only CUDA device here: " << error->message);
    CHECK_FALSE(error->message.empty());
    return;
  }
  const Evaluation& evaluation = std::get<EvaluationReply>(spoken.replies[1]).evaluation;
  CAPTURE(evaluation.verdict.evidence);
  CHECK(evaluation.verdict.passed());
  CHECK(evaluation.verdict.gate == Gate::compile);
}

TEST_CASE("several processes judge behind one worker, and their logs say whose they are") {
  std::string lines;
  for (int i = 0; i < 6; ++i)
    lines += line_of(request_for(kernel(kHonest), Gate::correctness), std::to_string(i));
  const auto spoken = converse(lines + "{\"id\": \"half\"}\n", "cpu", {"--workers", "2", "--threads", "1"});
  CAPTURE(spoken.process.err);
  CHECK(spoken.process.exit_code == 0);
  REQUIRE(spoken.replies.size() == 8);
  CHECK(std::get<Hello>(spoken.replies[0]).parallel == 2);
  CHECK(std::get<Hello>(spoken.replies[0]).devices.at(0).num_sms == 1);
  std::set<std::string> passed;
  for (const WorkerReply& reply : spoken.replies) {
    const auto* evaluation = std::get_if<EvaluationReply>(&reply);
    if (evaluation != nullptr && evaluation->evaluation.verdict.passed()) passed.insert(evaluation->id);
  }
  CHECK(passed.size() == 6);
  for (const char* mark : {"process=0\n", "process=1\n"})
    CHECK_THAT(spoken.process.err, ContainsSubstring(mark));
}

TEST_CASE("processes end with the worker in front of them, even when that is killed") {
  int in[2], out[2];
  REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  UniqueFd their_in(in[0]), our_in(in[1]), our_out(out[0]), their_out(out[1]);
  auto worker = Child::spawn({KEVOLVE_BIN_DIR "/kevolve-worker", "--device", "cpu", "--workers", "2"},
                             {.descriptors = {{their_in.get(), 0}, {their_out.get(), 1}}});
  REQUIRE(worker);
  char first = 0;
  REQUIRE(::read(our_out.get(), &first, 1) == 1);  // its hello: all have started
  const std::string pid = std::to_string(worker->pid());
  std::ifstream listed("/proc/" + pid + "/task/" + pid + "/children");
  const std::vector<int> processes(std::istream_iterator<int>(listed), {});
  CHECK(processes.size() == 2);
  for (const int process : processes) CHECK(runs(process));
  REQUIRE(::kill(worker->pid(), SIGKILL) == 0);  // it alone; our end of its input stays open
  for (const int process : processes) {
    for (int i = 0; i < 1000 && runs(process); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK_FALSE(runs(process));
  }
}

TEST_CASE("processes that cannot start end the worker with their reasons") {
  const auto spoken = converse("", "tpu", {"--workers", "2"});
  CHECK(spoken.process.exit_code == 1);
  CHECK(spoken.replies.empty());
  CHECK_THAT(spoken.process.err, ContainsSubstring("device 'tpu': unknown"));
  CHECK_THAT(spoken.process.err, ContainsSubstring("no worker process started:"));
}

TEST_CASE("GPUs that are not there, or not clearly named, are refused with the reason") {
  const auto unclear = converse("", "cpu", {"--gpus", "0,2"});
  CHECK(unclear.process.exit_code == 1);
  CHECK_THAT(unclear.process.err, ContainsSubstring("expected 'all', how many, such as '4'"));
  const auto missing = converse("", "cpu", {"--gpus", "cuda:255"});
  CHECK(missing.process.exit_code == 1);
  CHECK(missing.replies.empty());
  CHECK_THAT(missing.process.err,
             ContainsSubstring("NVIDIA driver") || ContainsSubstring("there is no cuda:255"));
  CHECK(converse("", "cpu", {"--gpus", "all", "--workers", "2"}).process.exit_code != 0);
}

TEST_CASE("a worker without a device says why and fails") {
  const auto spoken = converse("", "tpu");
  CHECK(spoken.process.exit_code == 1);
  CHECK(spoken.replies.empty());
  CHECK_THAT(spoken.process.err, ContainsSubstring("device 'tpu': unknown"));
}

}  // namespace kevolve
