#pragma once
// The worker processes that a fan-out starts: one for each GPU, which sees no other and calls it cuda:0, or
// several that are alike.

#include <string>
#include <vector>

#include "core/worker/fan_out/child_worker.hpp"

namespace kevolve::fan_out {

/// UUIDs of the GPUs that the driver sees, in its order. A process of `program` looks (--list-gpus), so that
/// the driver is not loaded here.
Result<std::vector<std::string>> list_gpus(const std::string& program);

/// `command`: a worker's, the same for all. `gpus`: numbers into `uuids`.
std::vector<ChildPlan> children_on_gpus(const std::vector<std::string>& command, const std::vector<int>& gpus,
                                        const std::vector<std::string>& uuids);
std::vector<ChildPlan> children_alike(const std::vector<std::string>& command, int number);

/// The threads that each process may use, of `threads` in all: at least one.
int share_of(int threads, std::size_t processes);

}  // namespace kevolve::fan_out
