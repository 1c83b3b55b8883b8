#pragma once
// GpuChoice: which GPUs of its machine a worker uses (`kevolve-worker --gpus`, the key "gpus" of jobs and
// pools). As text "all", "4" (how many: the first ones) or "cuda:0,cuda:2" (which); in JSON how many is a
// number. A plain "0,2" is refused, since "2" alone would mean two things.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.hpp"

namespace kevolve {

struct GpuChoice {
  int count = 0;           ///< the first ones; 0: see `which`
  std::vector<int> which;  ///< numbers, as written; with count 0 and none of them: all
};

Result<GpuChoice> parse_gpu_choice(std::string_view text);

/// Numbers of the chosen ones of `present` GPUs; an error when there are too few.
Result<std::vector<int>> chosen_gpus(const GpuChoice& choice, int present);

/// The member "gpus" of a job or a pool that its schema has accepted; "" when there is none. An error where
/// `device` is not "cuda:0", which is what each of the worker's processes calls its GPU.
Result<std::string> gpus_from_json(const Json& object, std::string_view device);
Json gpus_to_json(const std::string& gpus);

}  // namespace kevolve
