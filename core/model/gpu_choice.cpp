#include "core/model/gpu_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace kevolve {
namespace {

constexpr int kMostGpus = 256;

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0 || value > kMostGpus) return std::nullopt;
  return value;
}

}  // namespace

Result<GpuChoice> parse_gpu_choice(std::string_view text) {
  constexpr std::string_view kName = "cuda:";
  const auto refused = [&] {
    return failure(fmt::format(
        "gpus '{}': expected 'all', how many, such as '4', or which, such as 'cuda:0,cuda:2'", text));
  };
  GpuChoice choice;
  if (text == "all") return choice;
  if (const auto count = number_in(text)) {
    if (*count == 0) return refused();
    choice.count = *count;
    return choice;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const auto number = word.starts_with(kName) ? number_in(word.substr(kName.size())) : std::nullopt;
    if (!number) return refused();
    if (std::find(choice.which.begin(), choice.which.end(), *number) != choice.which.end())
      return failure(fmt::format("gpus '{}': cuda:{} is named twice", text, *number));
    choice.which.push_back(*number);
    begin = end + 1;
  }
  return choice;
}

Result<std::vector<int>> chosen_gpus(const GpuChoice& choice, int present) {
  if (!choice.which.empty()) {
    const int last = *std::max_element(choice.which.begin(), choice.which.end());
    if (last >= present)
      return failure(fmt::format("gpus: there is no cuda:{}; this process sees {} GPUs", last, present));
    return choice.which;
  }
  if (choice.count > present)
    return failure(fmt::format("gpus: {} are asked for; this process sees {}", choice.count, present));
  std::vector<int> first(static_cast<std::size_t>(choice.count > 0 ? choice.count : present));
  std::iota(first.begin(), first.end(), 0);
  return first;
}

Result<std::string> gpus_from_json(const Json& object, std::string_view device) {
  if (!object.contains("gpus")) return std::string();
  if (device != "cuda:0")
    return failure(
        fmt::format("gpus: device is '{}'; expected 'cuda:0': a worker for several GPUs starts a process for "
                    "each, which sees one GPU and calls it that",
                    device));
  const Json& gpus = object["gpus"];
  std::string text = gpus.is_string() ? gpus.get<std::string>() : std::to_string(gpus.get<int>());
  if (const auto choice = parse_gpu_choice(text); !choice) return failure(choice.error());
  return text;
}

Json gpus_to_json(const std::string& gpus) {
  const auto count = number_in(gpus);
  return count ? Json(*count) : Json(gpus);
}

}  // namespace kevolve
