#include "core/devices/cuda/ptxas_log.hpp"

#include <charconv>
#include <sstream>

namespace kevolve::cuda {
namespace {

/// The text between the first pair of single quotes, or "".
std::string in_quotes(std::string_view line) {
  const auto begin = line.find('\'');
  if (begin == std::string_view::npos) return {};
  const auto end = line.find('\'', begin + 1);
  if (end == std::string_view::npos) return {};
  return std::string(line.substr(begin + 1, end - begin - 1));
}

/// The sum of all numbers that stand right before `unit`, as in "400 bytes stack frame".
std::int64_t sum_before(std::string_view line, std::string_view unit) {
  std::int64_t sum = 0;
  for (auto at = line.find(unit); at != std::string_view::npos; at = line.find(unit, at + 1)) {
    auto begin = at;
    while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
    std::int64_t value = 0;
    if (std::from_chars(line.data() + begin, line.data() + at, value).ec == std::errc()) sum += value;
  }
  return sum;
}

void read_spills(std::string_view line, KernelResources& kernel) {
  kernel.stack_bytes = std::max(kernel.stack_bytes, sum_before(line, " bytes stack frame"));
  kernel.spill_store_bytes += sum_before(line, " bytes spill stores");
  kernel.spill_load_bytes += sum_before(line, " bytes spill loads");
}

void read_usage(std::string_view line, KernelResources& kernel) {
  kernel.registers = sum_before(line, " registers");
  kernel.stack_bytes = std::max(kernel.stack_bytes, sum_before(line, " bytes cumulative stack size"));
  kernel.shared_bytes = sum_before(line, " bytes smem");
  kernel.constant_bytes = sum_before(line, " bytes cmem[");
}

}  // namespace

std::map<std::string, KernelResources> parse_ptxas_log(std::string_view log) {
  std::map<std::string, KernelResources> kernels;
  KernelResources* current = nullptr;
  std::istringstream lines{std::string(log)};
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Compiling entry function '") != std::string::npos) {
      current = &kernels[in_quotes(line)];
    } else if (current != nullptr && line.find(" bytes stack frame") != std::string::npos) {
      read_spills(line, *current);  // of the kernel, or of a function that it calls
    } else if (current != nullptr && line.find(": Used ") != std::string::npos) {
      read_usage(line, *current);
    }
  }
  return kernels;
}

}  // namespace kevolve::cuda
