#include "daemon/engine/job/preparation.hpp"

#include <fmt/format.h>

#include "daemon/engine/job/places.hpp"

namespace kevolve::engine {

Result<PreparedJob> prepare_job(Job job, const std::string& where) {
  PreparedJob prepared;
  for (const JobOperator& target : job.operators) {
    Result<Operator> op = find_operator(target.op);
    if (!op) return failure(op.error().in(where + ": operators"));
    if (op->workload(target.workload) == nullptr) {
      std::vector<std::string> known;
      for (const Workload& workload : op->workloads) known.push_back(workload.name);
      return failure(fmt::format("{}: operators: {} has no workload '{}'; it has: {}", where, target.op,
                                 target.workload, fmt::join(known, ", ")));
    }
    prepared.operators.push_back(std::move(*op));
  }
  prepared.job = std::move(job);
  return prepared;
}

WorkerCommand worker_command(const std::vector<std::string>& launcher, const std::string& gpus,
                             const std::filesystem::path& log, const std::vector<std::string>& arguments) {
  WorkerCommand command{launcher, log};
  command.argv.push_back(program_beside("kevolve-worker").string());
  if (!gpus.empty()) command.argv.insert(command.argv.end(), {"--gpus", gpus});
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::filesystem::path worker_log(const std::filesystem::path& archive) {
  return std::filesystem::path(archive) += ".worker.log";
}

}  // namespace kevolve::engine
