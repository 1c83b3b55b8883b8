// kevolve-worker as a program: request lines in, reply lines out, with the real compiler and runner.

#include <filesystem>
#include <sstream>

#include "core/process/command.hpp"
#include "tests/catch.hpp"
#include "tests/unit/worker/requests.hpp"

namespace kevolve {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Conversation {
  CommandResult process;
  std::vector<WorkerReply> replies;  ///< the hello first
};

Conversation converse(const std::string& lines, const std::string& device = "cpu") {
  const auto cache = std::filesystem::path(KEVOLVE_BIN_DIR) / "../tests/worker-cache";
  const auto done =
      run_command({KEVOLVE_BIN_DIR "/kevolve-worker", "--device", device, "--cache", cache.string()}, lines,
                  {.deadline = std::chrono::minutes(4)});
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

TEST_CASE("a worker without a device says why and fails") {
  const auto spoken = converse("", "tpu");
  CHECK(spoken.process.exit_code == 1);
  CHECK(spoken.replies.empty());
  CHECK_THAT(spoken.process.err, ContainsSubstring("device 'tpu': unknown"));
}

}  // namespace kevolve
