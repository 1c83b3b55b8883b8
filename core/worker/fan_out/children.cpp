#include "core/worker/fan_out/children.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/process/pipe.hpp"

namespace kevolve::fan_out {
namespace {

constexpr std::chrono::seconds kListDeadline{60};

std::vector<std::string> seeing(const std::string& gpu) {
  constexpr std::string_view kVisible = "CUDA_VISIBLE_DEVICES=";
  std::vector<std::string> words = process::own_environment();
  std::erase_if(words, [&](const std::string& word) { return word.starts_with(kVisible); });
  words.push_back(std::string(kVisible) + gpu);
  return words;
}

}  // namespace

Result<std::vector<std::string>> list_gpus(const std::string& program) {
  TRY(process::Pipe out, process::make_pipe());
  process::ChildSettings settings;
  settings.descriptors = {{out.write_end.get(), 1}, {STDERR_FILENO, 2}};
  settings.environment = process::own_environment();
  settings.dies_with_us = true;
  TRY(process::Child process, process::Child::spawn({program, "--list-gpus"}, settings));
  out.write_end.reset();
  const auto exit_code = process.wait(kListDeadline);  // a few lines fit into the pipe meanwhile
  if (!exit_code)
    return failure(fmt::format("listing GPUs: the driver did not answer within {} s", kListDeadline.count()));
  std::vector<std::string> lines;
  Incoming listed;
  while (listed.read_from(out.read_end.get(), lines) == Incoming::Found::some) {
  }
  if (*exit_code != 0) return failure("listing GPUs: it failed; the reason stands above");
  for (std::string& line : lines) line.erase(0, line.rfind(' ') + 1);  // "cuda:0 GPU-…"
  return lines;
}

std::vector<ChildPlan> children_on_gpus(const std::vector<std::string>& command, const std::vector<int>& gpus,
                                        const std::vector<std::string>& uuids) {
  std::vector<ChildPlan> children;
  for (const int gpu : gpus)
    children.push_back({fmt::format("gpu={}", gpu), command, seeing(uuids[static_cast<std::size_t>(gpu)])});
  return children;
}

std::vector<ChildPlan> children_alike(const std::vector<std::string>& command, int number) {
  std::vector<ChildPlan> children;
  for (int i = 0; i < number; ++i)
    children.push_back({fmt::format("process={}", i), command, process::own_environment()});
  return children;
}

int share_of(int threads, std::size_t processes) {
  return std::max(1, threads / static_cast<int>(processes));
}

}  // namespace kevolve::fan_out
