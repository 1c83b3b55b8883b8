#pragma once
// The lines between a daemon and `kevolve-worker`: one JSON object a line on stdin and stdout. A worker says
// `hello` once, then answers every request with one `evaluation` (or `admission`, or `error`) of the same id,
// in any order. End of stdin ends it. docs/worker_protocol.md is the specification.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/model/evaluation.hpp"
#include "core/model/operator.hpp"
#include "core/model/subjects.hpp"

namespace kevolve {

inline constexpr int kWorkerProtocolVersion = 1;

struct Subject {     ///< a kernel that is timed: the candidate, or one beside it
  std::string name;  ///< "candidate", "naive", "incumbent" (core/model/subjects.hpp)
  std::string source;
  Bindings tunables;
};

struct TimingSettings {
  int min_samples = 10, max_samples = 40;
  double max_seconds = 2.0;  ///< for all samples of all subjects of one evaluation
};

struct EvaluateRequest {
  std::string id;
  std::string device{kCpuDevice};
  Json operator_document;  ///< operator.json, inline: a worker needs no files
  std::string workload;
  std::string source;
  Bindings tunables;
  Gate last_gate = Gate::timing;      ///< stop after this one
  std::vector<Subject> compare_with;  ///< already verified kernels, interleaved in timing
  /// What PyTorch can do, interleaved too: "eager", "compile", or a name of the operator's own `baselines`.
  /// One that is missing (no compiled package was made) is left out.
  std::vector<std::string> baselines{std::string(subjects::kEager)};
  std::string yardstick;  ///< what speed-ups are against: a name of compare_with or baselines. "": the first
  bool fresh_draws = false;  ///< judge on draws that no other candidate has met
  TimingSettings timing;
};

struct AdmitRequest {  ///< is this operator fit to be judged? (docs/trust.md, "Admission")
  std::string id;
  Json operator_document;
  std::string workload;
};

struct Hello {
  int protocol = kWorkerProtocolVersion;
  std::string version;
  std::vector<DeviceInfo> devices;
  int parallel = 1;  ///< candidates that it judges at once: one on each of its GPUs
};
struct EvaluationReply {
  std::string id;
  Evaluation evaluation;
};
struct AdmissionReply {
  std::string id;
  bool admitted = false;
  std::string reason;
};
struct ErrorReply {
  std::string id;
  std::string message;
};  ///< operational: the candidate was not judged

using WorkerRequest = std::variant<EvaluateRequest, AdmitRequest>;
using WorkerReply = std::variant<Hello, EvaluationReply, AdmissionReply, ErrorReply>;

std::string to_line(const WorkerRequest& request);  ///< without the newline
std::string to_line(const WorkerReply& reply);
Result<WorkerRequest> request_from_line(std::string_view line);
Result<WorkerReply> reply_from_line(std::string_view line);
/// The id of a line that is not a request, for the reply to its sender; "" when it has none.
std::string id_in(std::string_view line);

}  // namespace kevolve
