#pragma once
// CompileJob and CompileAnswer: what goes into `kevolve-nvrtc` on stdin and comes out on stdout, one JSON
// document each. Everything in an answer is foreign text: the process that wrote it has read the candidate.
// Plain data.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/text/json.hpp"

namespace kevolve::cuda {

/// NVRTC's register limit holds for a whole compilation, so kernels with different limits make different
/// cubins.
struct CompileGroup {
  std::int64_t max_registers = 0;    ///< 0: no limit
  std::vector<std::string> kernels;  ///< C++ name expressions, each once
};

struct CompileJob {
  std::filesystem::path library;  ///< libnvrtc.so…
  std::vector<std::filesystem::path> companions;
  std::vector<std::filesystem::path> include_folders;
  std::string architecture;  ///< "sm_90a"
  std::string source;
  std::vector<std::pair<std::string, std::string>> macros;
  std::vector<CompileGroup> groups;  ///< empty: only NVRTC's version is asked for
  std::filesystem::path output;      ///< folder; group i's cubin is written to "i.cubin"
};

struct CompiledGroup {
  std::string log;                             ///< warnings and what ptxas says
  std::map<std::string, std::string> lowered;  ///< name expression -> symbol in the cubin
  std::vector<std::string> unreferenced;       ///< global variables that no code names (ptx_globals.hpp)
  std::map<std::string, std::int64_t> tensor_cores;  ///< instructions by type (ptx_tensor_cores.hpp)
};

struct CompileAnswer {
  enum class Status { compiled, rejected, failed };
  Status status = Status::failed;
  std::string message;             ///< rejected: the compiler's log; failed: what went wrong
  std::string version;             ///< "13.0"
  std::vector<int> architectures;  ///< that this NVRTC knows: 75, 80, 90, …
  std::vector<CompiledGroup> groups;
};

/// Options of every compilation besides macros, includes, architecture and register limit.
const std::vector<std::string>& fixed_compile_options();

std::string cubin_name(std::size_t group);  ///< "0.cubin"

Json to_json(const CompileJob& job);
Json to_json(const CompileAnswer& answer);
Result<CompileJob> compile_job_from_json(const Json& json);
Result<CompileAnswer> compile_answer_from_json(const Json& json);

}  // namespace kevolve::cuda
