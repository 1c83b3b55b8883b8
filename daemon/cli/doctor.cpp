// kevolve doctor: what this machine can do, and what each missing thing costs.

#include <fmt/format.h>

#include <memory>
#include <thread>

#include "archive/archive.hpp"
#include "core/process/command.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/finding.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/job/places.hpp"
#include "daemon/version.hpp"

namespace kevolve::cli {
namespace {

Finding check_sandbox() {
  const Result<void>& available = process::sandbox_available();
  if (available) return {"sandbox", State::ok, "bubblewrap works"};
  return {"sandbox", State::broken, available.error().message};
}

Finding check_compiler() {
  const auto result = process::run_command({"g++", "--version"}, "", {});
  if (!result) return {"host compiler", State::broken, result.error().message};
  if (result->exit_code != 0) {
    return {"host compiler", State::broken,
            "g++ was not found: the cpu device compiles candidates with it; install g++ 12 or newer"};
  }
  return {"host compiler", State::ok, result->out.substr(0, result->out.find('\n'))};
}

Finding check_seeds() {
  const auto names = engine::operator_names();
  if (!names) return {"seed operators", State::broken, names.error().message};
  return {"seed operators", State::ok, fmt::format("{} ({})", names->size(), fmt::join(*names, ", "))};
}

Finding check_archive(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    return {"archive", State::ok,
            fmt::format("{} does not exist yet; the first job creates it", path.string())};
  }
  Result<archive::Archive> archive = archive::Archive::open(path, archive::OpenMode::read_only);
  if (!archive) return {"archive", State::broken, archive.error().message};
  const auto jobs = archive->jobs();
  if (!jobs) return {"archive", State::broken, jobs.error().message};
  return {"archive", State::ok,
          fmt::format("{}, {} jobs, {} MB", path.string(), jobs->size(),
                      std::filesystem::file_size(path) / 1'000'000)};
}

/// Through the worker, as a job would use it: which devices it has, GPUs among them, LibTorch's version.
std::vector<Finding> check_worker() {
  const auto log = scratch_log();
  const Result<Answer> answer = ask_worker(local_worker(log), std::nullopt);
  if (!answer) return {{"worker", State::broken, answer.error().message}};
  const std::string said = read_text_file(log).value_or("");
  std::filesystem::remove(log);
  std::vector<Finding> findings = {{"worker", State::ok, fmt::format("version {}", answer->hello.version)}};
  for (const DeviceInfo& device : answer->hello.devices) {
    findings.push_back({"device " + device.name, State::ok,
                        fmt::format("{}; {}; LibTorch {}", device.model, device.toolchain, device.torch)});
    for (const std::string& fact : device.facts)
      findings.push_back({"device " + device.name, State::ok, fact});
  }
  for (Finding& finding : check_gpus(answer->hello, said)) findings.push_back(std::move(finding));
  return findings;
}

/// Compiles an empty kernel on the compile-only CUDA device.
Finding check_nvrtc() {
  EvaluateRequest request;
  request.device = "cuda:sm_90a";
  request.operator_document =
      parse_json(R"({"name":"probe","description":"probe","axes":{"N":{"kind":"constant","description":"n"}},
    "inputs":{"x":{"dtype":"f32","shape":["N"]}},"outputs":{"y":{"dtype":"f32","shape":["N"]}},
    "reference":"def forward(x: Tensor) -> Tensor:\n    return x * 2","workloads":{"small":{"axes":{"N":32}}},
    "distributions":{"normal":{"timed":true,"draws":{"*":{"kind":"normal"}}}},"precision":"strict_fp32",
    "cost":{"bytes":"8 * N","flops":"N"}})",
                 "probe")
          .value_or(Json::object());
  request.workload = "small";
  request.source =
      "/*kevolve { \"idea\": \"probe\", \"launches\": [ { \"kernel\": \"probe\", \"grid\": [1], \"block\": "
      "[32], "
      "\"args\": [\"x\", \"y\"] } ] } */\n__global__ void probe(const float* x, float* y) { y[threadIdx.x] = "
      "2 * x[threadIdx.x]; }\n";
  request.last_gate = Gate::inspect;
  const auto log = scratch_log();
  const Result<Answer> answer = ask_worker(local_worker(log), WorkerRequest(request));
  const std::string cost = "; without it the CUDA compile check (--device cuda:sm_90a) is not available";
  if (!answer) return {"NVRTC", State::missing, answer.error().message + cost};
  std::filesystem::remove(log);
  if (const auto* error = std::get_if<ErrorReply>(&*answer->reply))
    return {"NVRTC", State::missing, error->message + cost};
  const auto* reply = std::get_if<EvaluationReply>(&*answer->reply);
  if (reply == nullptr || !reply->evaluation.verdict.passed()) {
    return {"NVRTC", State::missing,
            (reply == nullptr ? "unexpected answer" : reply->evaluation.verdict.evidence) + cost};
  }
  return {"NVRTC", State::ok, fmt::format("{} compiles for sm_90a", reply->evaluation.device.toolchain)};
}

int doctor(bool json, const std::filesystem::path& archive) {
  std::vector<Finding> findings = {check_compiler(), check_sandbox(), check_seeds(), check_archive(archive)};
  for (Finding& finding : check_worker()) findings.push_back(std::move(finding));
  findings.push_back(check_nvrtc());
  for (Finding& finding : check_cuda_libraries()) findings.push_back(std::move(finding));
  findings.push_back(check_compiled_baselines());
  const auto word = [](State s) {
    return s == State::ok ? "ok" : s == State::missing ? "missing" : "broken";
  };
  bool broken = false;
  Json list = Json::array();
  for (const Finding& f : findings) {
    broken |= f.state == State::broken;
    list.push_back({{"what", f.what}, {"state", word(f.state)}, {"detail", f.detail}});
  }
  if (json) {
    print_json({{"kevolve", kVersion}, {"cores", std::thread::hardware_concurrency()}, {"findings", list}});
  } else {
    fmt::print("kevolve {} on {} cores\n", kVersion, std::thread::hardware_concurrency());
    for (const Finding& f : findings) {
      fmt::print("{:<8} {:<16} ", word(f.state), f.what);
      bool first = true;
      for (const std::string& line : wrapped(f.detail, 90)) {
        fmt::print("{}{}\n", first ? "" : std::string(26, ' '), line);
        first = false;
      }
    }
  }
  return broken ? kOperational : kOk;
}

}  // namespace

Command add_doctor(CLI::App& app) {
  struct Options {
    bool json = false;
    std::filesystem::path archive;
  };
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("doctor", "What this machine can do, and what each missing thing costs");
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  sub->footer("Exit code 0: jobs can run here; 3: something they need is broken.");
  return [options] { return doctor(options->json, options->archive); };
}

}  // namespace kevolve::cli
