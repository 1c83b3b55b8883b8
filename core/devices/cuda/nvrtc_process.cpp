#include "core/devices/cuda/nvrtc_process.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/process/command.hpp"
#include "core/process/places.hpp"

namespace kevolve::cuda {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t kCubinBytes = 64 << 20;
constexpr std::size_t kAnswerBytes = 16 << 20;

Result<fs::path> program_in(const fs::path& programs) {
  std::error_code error;
  const fs::path folder = programs.empty() ? process::program_folder() : programs;
  const fs::path program = fs::canonical(folder / "kevolve-nvrtc", error);
  if (error)
    return failure(fmt::format(
        "'{}' does not exist: build the target kevolve-nvrtc, or install it beside the other programs",
        (folder / "kevolve-nvrtc").string()));
  return program;
}

}  // namespace

Result<NvrtcProcess> NvrtcProcess::find(const fs::path& programs, std::size_t memory_bytes) {
  auto program = program_in(programs);
  if (!program) return failure(program.error());
  auto toolkit = find_toolkit(program->parent_path());
  if (!toolkit) return failure(toolkit.error());
  return NvrtcProcess(std::move(*toolkit), std::move(*program), memory_bytes);
}

CompileJob NvrtcProcess::new_job(const std::string& architecture) const {
  CompileJob job;
  job.library = toolkit_.library;
  job.companions = toolkit_.companions;
  job.include_folders = toolkit_.include_folders;
  job.architecture = architecture;
  return job;
}

Result<tl::expected<CompileAnswer, Verdict>> NvrtcProcess::run(const CompileJob& job,
                                                               milliseconds deadline) const {
  process::SandboxPolicy policy;
  policy.read_only = toolkit_.include_folders;
  policy.read_only.push_back(toolkit_.library);
  for (const auto& companion : toolkit_.companions) policy.read_only.push_back(companion);
  policy.read_only.push_back(program_);
  if (!job.output.empty()) policy.writable.push_back(job.output);
  const auto argv = process::sandboxed({program_.string()}, policy);
  if (!argv) return failure(argv.error());
  const process::CommandLimits limits{deadline, memory_bytes_, kAnswerBytes, kCubinBytes};
  const auto result = process::run_command(*argv, to_json(job).dump(), limits);
  if (!result) return failure(result.error());
  if (result->timed_out)
    return tl::unexpected(Verdict{
        Outcome::compile_timeout, Gate::compile,
        fmt::format(
            "NVRTC did not finish within {:.1f} s and was killed. Instantiate fewer templates, unroll less "
            "(#pragma unroll with a number), and include fewer headers (cub and cooperative_groups take "
            "seconds).",
            std::chrono::duration<double>(deadline).count())});
  if (const auto json = parse_json(result->out, "answer of kevolve-nvrtc"); result->exit_code == 0 && json)
    if (auto answer = compile_answer_from_json(*json)) return std::move(*answer);
  // Its memory and time are limited otherwise.
  if (result->exit_code == 128 + 9)
    return failure(
        "kevolve-nvrtc was killed from outside (signal 9): by hand, or by the kernel for want of memory");
  if (result->exit_code > 128)
    return tl::unexpected(Verdict{
        Outcome::compile_error, Gate::compile,
        fmt::format(
            "NVRTC crashed on this source (signal {}): it used more than {} GiB of memory, recursed too "
            "deeply, or met an error of its own. Simplify templates and constants.",
            result->exit_code - 128, memory_bytes_ >> 30)});
  return failure(fmt::format("kevolve-nvrtc ended with code {} and no answer: {}", result->exit_code,
                             (result->err.empty() ? result->out : result->err).substr(0, 2000)));
}

}  // namespace kevolve::cuda
