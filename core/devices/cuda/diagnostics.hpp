#pragma once
// NVRTC's log turned into evidence for whoever wrote the candidate. Pure functions.

#include <filesystem>
#include <string>
#include <string_view>

#include "core/model/launch_plan.hpp"

namespace kevolve::cuda {

/// Errors of a compilation that failed, with lines of candidate.cu, at most 4 KiB. A name expression that is
/// no kernel of the source is reported as the launch that asks for it, with the kernels that there are. Paths
/// below `toolkit` are shortened to "<cuda>".
std::string compile_evidence(std::string_view log, std::string_view source, const LaunchPlan& plan,
                             const std::filesystem::path& toolkit);

/// Warnings about candidate.cu itself, at most 16 KiB.
std::string compile_warnings(std::string_view log);

/// Names after __global__ in the source, in order, each once. Textual: good enough for a hint.
std::vector<std::string> kernels_named_in(std::string_view source);

}  // namespace kevolve::cuda
