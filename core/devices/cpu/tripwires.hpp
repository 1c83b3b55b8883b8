#pragma once
// What the cpu device cannot run: tensor cores, TMA, clusters, inline PTX, asynchronous pipelines. Found
// before a compiler runs, so that the verdict is `unsupported` with a reason and not an unrelated compile
// error. Pure functions; thread-safe.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/launch_plan.hpp"

namespace kevolve::cpu {

/// The reason in complete sentences; nullopt when nothing stands against it.
std::optional<std::string> unsupported_on_cpu(std::string_view source, const LaunchPlan& plan);

/// What the source's #include directives name, in order; those in comments are left out.
std::vector<std::string> included_files(std::string_view source);

}  // namespace kevolve::cpu
