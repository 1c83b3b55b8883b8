#pragma once
// What happened in a launch, in words. Pure functions.

#include <string>
#include <vector>

#include "core/devices/cpu/simt/executor.hpp"
#include "core/devices/cpu/simt/fiber.hpp"

namespace kevolve::simt {

/// "(1, 0, 0)"
std::string describe(const std::array<std::uint32_t, 3>& index);
/// "block (1, 0, 0), thread (17, 0, 0)"
std::string describe(const ThreadPlace& place);
std::string_view name(WarpOperation operation);
/// Which threads wait at what; `waiting` in any order, at least one.
LaunchStatus describe_deadlock(const std::vector<const Fiber*>& waiting);

}  // namespace kevolve::simt
