#include "core/devices/cpu/tripwires.hpp"

#include <algorithm>
#include <array>

#include "core/text/cuda_text.hpp"

namespace kevolve::cpu {
namespace {

struct Tripwire {
  std::string_view text;  ///< a whole word of the code, or a whole included name
  std::string_view reason;
};

constexpr std::string_view kPtx = "inline PTX";
constexpr std::string_view kTensorCores = "tensor-core instructions";
constexpr std::string_view kClusters = "thread block clusters";
constexpr std::string_view kPipelines = "asynchronous copy pipelines and barriers of libcu++";

constexpr std::array kWords{
    Tripwire{"asm", kPtx},
    Tripwire{"__asm", kPtx},
    Tripwire{"__asm__", kPtx},
    Tripwire{"wmma", kTensorCores},
    Tripwire{"nvcuda", kTensorCores},
    Tripwire{"CUtensorMap", "TMA tensor maps"},
    Tripwire{"__cluster_dims__", kClusters},
    Tripwire{"this_cluster", kClusters},
    Tripwire{"cluster_group", kClusters},
};

constexpr std::array kIncludes{
    Tripwire{"mma.h", kTensorCores},
    Tripwire{"crt/mma.h", kTensorCores},
    Tripwire{"cuda/pipeline", kPipelines},
    Tripwire{"cuda/barrier", kPipelines},
    Tripwire{"cuda/ptx", kPtx},
    Tripwire{"cuda.h", "the driver API's header"},
};

std::string sentence(const CudaToken& at, const Tripwire& wire) {
  return "The cpu device cannot run " + std::string(wire.reason) + ": '" + std::string(wire.text) +
         "' in line " + std::to_string(at.line) +
         ". Evaluate this candidate on a cuda device, or write it without.";
}

std::optional<std::string> unsupported_token(std::string_view source) {
  const std::vector<CudaToken> tokens = read_cuda_text(source);
  for (const CudaToken& token : tokens)
    for (const Tripwire& wire : kIncludes)
      if (token.kind == CudaToken::Kind::header && content(source, token) == wire.text)
        return sentence(token, wire);
  for (const Tripwire& wire : kWords)
    for (const CudaToken& token : tokens)
      if (token.kind == CudaToken::Kind::word && spelled(source, token) == wire.text)
        return sentence(token, wire);
  return std::nullopt;
}

std::optional<std::string> unsupported_launch(const std::vector<PlannedLaunch>& launches,
                                              std::string_view list) {
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const std::string field = std::string(list) + "[" + std::to_string(i) + "]";
    const auto& cluster = launches[i].cluster;
    if (std::any_of(cluster.begin(), cluster.end(), [](std::int64_t n) { return n > 1; }))
      return "The cpu device cannot run " + std::string(kClusters) + ": " + field +
             ".cluster is larger than 1.";
    for (const PlannedArgument& argument : launches[i].arguments)
      if (std::holds_alternative<PlannedTensorMap>(argument))
        return "The cpu device cannot run TMA: an argument of " + field + " is a tensor map.";
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> included_files(std::string_view source) {
  std::vector<std::string> files;
  for (const CudaToken& token : read_cuda_text(source))
    if (token.kind == CudaToken::Kind::header) files.push_back(content(source, token));
  return files;
}

std::optional<std::string> unsupported_on_cpu(std::string_view source, const LaunchPlan& plan) {
  if (auto reason = unsupported_launch(plan.prepare, "prepare")) return reason;
  if (auto reason = unsupported_launch(plan.launches, "launches")) return reason;
  return unsupported_token(source);
}

}  // namespace kevolve::cpu
