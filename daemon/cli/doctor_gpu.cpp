#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/process/command.hpp"
#include "core/process/places.hpp"
#include "daemon/cli/finding.hpp"
#include "daemon/engine/job/places.hpp"

namespace kevolve::cli {
namespace fs = std::filesystem;
namespace {

/// "cuda:0" runs kernels, "cuda:sm_90a" only compiles them.
bool is_gpu(const std::string& device) {
  return device.starts_with("cuda:") && device.find_first_not_of("0123456789", 5) == std::string::npos;
}

/// The worker's reasons for GPUs that it could not open, from its log.
std::vector<std::string> refusals(const std::string& log) {
  std::vector<std::string> found;
  constexpr std::string_view kEvent = "event=device_unavailable device=";
  for (std::size_t at = log.find(kEvent); at != std::string::npos; at = log.find(kEvent, at)) {
    at += kEvent.size();
    const std::string line = log.substr(at, log.find('\n', at) - at);
    if (is_gpu(line.substr(0, line.find(' ')))) found.push_back(line);
  }
  return found;
}

/// Where the loader finds a library that a program needs; empty when it does not.
fs::path needed_library(const fs::path& program, const std::string& name) {
  const auto result = process::run_command({"ldd", program.string()}, "", {});
  if (!result) return {};
  const std::size_t at = result->out.find(name);
  const std::size_t arrow = at == std::string::npos ? at : result->out.find("=> ", at);
  if (arrow == std::string::npos || arrow > result->out.find('\n', at)) return {};
  const std::size_t begin = arrow + 3;
  const fs::path path = result->out.substr(begin, result->out.find_first_of(" \n", begin) - begin);
  return fs::exists(path) ? path : fs::path();
}

/// libcupti of a toolkit's folder, which keeps it beside the other libraries or in extras/CUPTI.
fs::path cupti_in(const fs::path& root) {
  for (const char* folder : {"lib64", "lib", "extras/CUPTI/lib64"}) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(root / folder, ignored)) {
      if (entry.path().filename().string().starts_with("libcupti.so")) return entry.path();
    }
  }
  return {};
}

Finding check_torch_cuda(const fs::path& torch) {
  if (torch.empty())
    return {"LibTorch on GPUs", State::missing, "the worker's libtorch_cpu.so was not found by ldd"};
  const fs::path cuda = torch.parent_path() / "libtorch_cuda.so";
  if (fs::exists(cuda)) return {"LibTorch on GPUs", State::ok, cuda.string()};
  return {
      "LibTorch on GPUs", State::missing,
      fmt::format(
          "no libtorch_cuda.so beside {}: nothing can be judged on a GPU. Build with "
          "KEVOLVE_TORCH_DIR set to a torch that was built for CUDA (4 GB with the libraries that it needs)",
          torch.string())};
}

Finding check_cupti(const fs::path& torch) {
  std::vector<fs::path> roots = {"/usr/local/cuda", engine::program_beside("../../.deps/nvidia/cu13")};
  if (const char* home = std::getenv("CUDA_HOME"); home != nullptr) roots.emplace(roots.begin(), home);
  if (!torch.empty()) roots.push_back(torch.parent_path() / "../../nvidia/cu13");
  for (const fs::path& root : roots) {
    if (const fs::path found = cupti_in(root); !found.empty())
      return {"CUPTI", State::ok, found.lexically_normal().string()};
  }
  return {
      "CUPTI", State::missing,
      "libcupti.so was not found: kernels are not profiled; it comes with a CUDA toolkit (set CUDA_HOME)"};
}

/// Packages that scripts/compiled_baseline.py has left where a local worker looks for them.
std::pair<fs::path, int> packages() {
  const fs::path folder = process::default_cache() / "baselines";
  int count = 0;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(folder, ignored);
       !ignored && at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    count += at->path().extension() == ".pt2" ? 1 : 0;
  }
  return {folder, count};
}

}  // namespace

std::vector<Finding> check_gpus(const Hello& hello, const std::string& log) {
  std::vector<Finding> findings;
  for (const DeviceInfo& device : hello.devices) {
    if (!is_gpu(device.name)) continue;
    findings.push_back({"GPU " + device.name, State::ok,
                        fmt::format("{}, {}, {} SMs; driver {}", device.model, device.architecture,
                                    device.num_sms, device.driver)});
  }
  for (const std::string& refusal : refusals(log)) {
    const std::size_t blank = refusal.find(' ');
    findings.push_back({"GPU " + refusal.substr(0, blank), State::missing,
                        blank == std::string::npos ? "it cannot be used" : refusal.substr(blank + 1)});
  }
  if (!findings.empty()) return findings;
  const bool there = fs::exists("/dev/nvidia0");
  return {{"GPU", State::missing,
           there ? "an NVIDIA device is present, but its driver was not found; kernels run on the cpu device"
                 : "none: kernels run on the cpu device, and their times are CPU times"}};
}

std::vector<Finding> check_cuda_libraries() {
  const fs::path torch = needed_library(engine::program_beside("kevolve-worker"), "libtorch_cpu.so");
  return {check_torch_cuda(torch), check_cupti(torch)};
}

Finding check_compiled_baselines() {
  const auto [folder, count] = packages();
  const std::string kept = fmt::format("packages in {}: {}", folder.string(), count);
  const char* named = std::getenv("KEVOLVE_PYTHON");
  const std::string python = named == nullptr ? "python3" : named;
  const auto result = process::run_command({python, "-c", "import torch; print(torch.__version__)"}, "", {});
  if (result && result->exit_code == 0) {
    return {"torch.compile", State::ok,
            fmt::format("{}; {} has torch {} to make more (scripts/compiled_baseline.py)", kept, python,
                        result->out.substr(0, result->out.find('\n')))};
  }
  return {"torch.compile", count > 0 ? State::ok : State::missing,
          fmt::format("{}; {} has no torch to make {} (scripts/compiled_baseline.py; KEVOLVE_PYTHON names "
                      "another){}",
                      kept, python, count > 0 ? "more" : "any",
                      count > 0 ? "" : ": kernels are compared with eager PyTorch only")};
}

}  // namespace kevolve::cli
