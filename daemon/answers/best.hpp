#pragma once
// What `kevolve best` and GET /v1/best answer: the best verified kernels of an operator, from the archive
// alone, with the nearest searched workload in place of one that was never searched. Belongs to the archive's
// thread.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/archive.hpp"
#include "daemon/answers/best_question.hpp"

namespace kevolve::answers {

/// Another workload that answers for the one asked for.
struct NearestWorkload {
  std::string asked, workload;
  double distance = 0;  ///< workload_distance()
};

struct BestKernel {
  archive::RankedKernel kernel;
  std::string source;
  std::string own_idea;  ///< what the kernel itself says that it does; may be ""
  /// What PyTorch took beside the kernel, on the kernel's scale: subject and median.
  std::vector<std::pair<std::string, double>> baselines_us;
};

struct BestAnswer {
  std::optional<NearestWorkload> nearest;
  std::vector<BestKernel> kernels;  ///< none: nothing answers
};

/// Times within each group are on the scale of its first kernel (CommonScale).
Result<BestAnswer> answer_best(archive::Archive& archive, const BestQuestion& question);

/// Puts the times of each group on the scale of its kernel of rank 1, which stands first in it.
void put_on_common_scale(std::vector<BestKernel>& kernels);

/// "the archive holds no verified kernel of …", with the operators that it has.
std::string nothing_best(archive::Archive& archive, const BestQuestion& question);

Json to_json(const BestAnswer& answer);

}  // namespace kevolve::answers
