#include "core/gates/policy_words.hpp"

#include <algorithm>
#include <array>

namespace kevolve::gates {
namespace {

using enum ForbiddenWord::Where;

constexpr std::string_view kHost =
    "a candidate is device code only: the harness allocates, launches and times";
constexpr std::string_view kUseHeader = "describe launches and scratch in the /*kevolve header";
constexpr std::string_view kHeap = "device-side allocation keeps state between calls";
constexpr std::string_view kUseScratch =
    "declare a buffer under \"scratch\" in the header, or use shared memory";
constexpr std::string_view kOutput = "a candidate has no output but its output tensors";
constexpr std::string_view kRemove = "remove it";
constexpr std::string_view kState = "state that survives a call lets a kernel replay an old answer";
constexpr std::string_view kSystem = "a candidate has no files, processes or memory maps";
constexpr std::string_view kPhases = "a kernel that reads clocks can tell a check from a timing";
constexpr std::string_view kTricks = "the source must read the same to a person and to the compiler";

constexpr std::array kWords{
    ForbiddenWord{"malloc", called, kHeap, kUseScratch},
    ForbiddenWord{"calloc", called, kHeap, kUseScratch},
    ForbiddenWord{"realloc", called, kHeap, kUseScratch},
    ForbiddenWord{"free", called, kHeap, kUseScratch},
    ForbiddenWord{"__builtin_malloc", anywhere, kHeap, kUseScratch},
    ForbiddenWord{"printf", called, kOutput, kRemove},
    ForbiddenWord{"vprintf", called, kOutput, kRemove},
    ForbiddenWord{"fprintf", called, kOutput, kRemove},
    ForbiddenWord{"puts", called, kOutput, kRemove},
    ForbiddenWord{"cout", anywhere, kOutput, kRemove},
    ForbiddenWord{"cerr", anywhere, kOutput, kRemove},
    ForbiddenWord{"main", called, kHost, kUseHeader},
    ForbiddenWord{"__managed__", anywhere, kState, kUseScratch},
    ForbiddenWord{"thread_local", anywhere, kState, kUseScratch},
    ForbiddenWord{"system", called, kSystem, kRemove},
    ForbiddenWord{"popen", called, kSystem, kRemove},
    ForbiddenWord{"fopen", called, kSystem, kRemove},
    ForbiddenWord{"ifstream", anywhere, kSystem, kRemove},
    ForbiddenWord{"ofstream", anywhere, kSystem, kRemove},
    ForbiddenWord{"fstream", anywhere, kSystem, kRemove},
    ForbiddenWord{"filesystem", anywhere, kSystem, kRemove},
    ForbiddenWord{"getenv", called, kSystem, kRemove},
    ForbiddenWord{"syscall", called, kSystem, kRemove},
    ForbiddenWord{"dlopen", called, kSystem, kRemove},
    ForbiddenWord{"dlsym", called, kSystem, kRemove},
    ForbiddenWord{"mmap", called, kSystem, kRemove},
    ForbiddenWord{"mprotect", called, kSystem, kRemove},
    ForbiddenWord{"fork", called, kSystem, kRemove},
    ForbiddenWord{"execve", called, kSystem, kRemove},
    ForbiddenWord{"socket", called, kSystem, kRemove},
    ForbiddenWord{"signal", called, kSystem, kRemove},
    ForbiddenWord{"sigaction", called, kSystem, kRemove},
    ForbiddenWord{"setjmp", called, kSystem, kRemove},
    ForbiddenWord{"longjmp", called, kSystem, kRemove},
    ForbiddenWord{"pthread_create", called, kSystem, kRemove},
    ForbiddenWord{"clock", called, kPhases, kRemove},
    ForbiddenWord{"clock64", called, kPhases, kRemove},
    ForbiddenWord{"globaltimer", anywhere, kPhases, kRemove},
    ForbiddenWord{"__has_include", anywhere, kTricks, "include only headers that are always there"},
    ForbiddenWord{"__has_include_next", anywhere, kTricks, "include only headers that are always there"},
    ForbiddenWord{"__has_embed", anywhere, kTricks, kRemove},
    ForbiddenWord{"__FILE__", anywhere, "paths of the machine are none of a candidate's business", kRemove},
    ForbiddenWord{"__DATE__", anywhere, kTricks, kRemove},
    ForbiddenWord{"__TIME__", anywhere, kTricks, kRemove},
    ForbiddenWord{"__TIMESTAMP__", anywhere, kTricks, kRemove},
};

constexpr std::array kTexts{
    ForbiddenText{".incbin", "it reads files of the machine", kRemove},
    ForbiddenText{".include", "it reads files of the machine", kRemove},
    ForbiddenText{".section", "foreign sections escape the inspection of the binary", kRemove},
    ForbiddenText{".extern", kSystem, kRemove},
    ForbiddenText{"vprintf", kOutput, kRemove},
    ForbiddenText{"evict_last", "data kept in L2 across calls survives the flush before a timed run",
                  "use evict_first or the default policy"},
    ForbiddenText{"persisting", "data kept in L2 across calls survives the flush before a timed run",
                  "use the default policy"},
    ForbiddenText{"GCC ", "compiler pragmas change how the source is judged",
                  "use __launch_bounds__ and #pragma unroll"},
};

constexpr std::array<std::string_view, 37> kHeaders{
    "cuda.h", "cuda_runtime.h", "cuda_runtime_api.h", "device_launch_parameters.h", "cuda_fp16.h",
    "cuda_fp16.hpp", "cuda_bf16.h", "cuda_bf16.hpp", "cuda_fp8.h", "cooperative_groups.h",
    "cooperative_groups/reduce.h", "cooperative_groups/scan.h", "cooperative_groups/memcpy_async.h",
    "math_constants.h", "math_functions.h", "mma.h", "vector_types.h", "vector_functions.h",
    "cuda_pipeline.h", "cuda_pipeline_primitives.h", "cuda_awbarrier.h", "cuda_awbarrier_primitives.h",
    "cuda/barrier", "cuda/pipeline", "cuda/ptx", "cuda/atomic", "cuda/cmath",
    // what NVRTC and the cpu device answer for out of the standard library
    "cstdint", "stdint.h", "cstddef", "stddef.h", "cmath", "math.h", "cfloat", "float.h", "climits",
    "limits.h"};

constexpr std::array<std::string_view, 2> kTraits{"type_traits", "limits"};

}  // namespace

std::span<const ForbiddenWord> forbidden_words() {
  return kWords;
}
std::span<const ForbiddenText> forbidden_texts() {
  return kTexts;
}

bool header_allowed(std::string_view header) {
  if (std::find(kHeaders.begin(), kHeaders.end(), header) != kHeaders.end()) return true;
  if (std::find(kTraits.begin(), kTraits.end(), header) != kTraits.end()) return true;
  constexpr std::string_view kStd = "cuda/std/";
  if (!header.starts_with(kStd)) return false;
  const std::string_view rest = header.substr(kStd.size());
  return !rest.empty() &&
         std::all_of(rest.begin(), rest.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool pragma_allowed(std::string_view pragma) {
  const std::string_view word = pragma.substr(0, pragma.find_first_of(" \t("));
  constexpr std::array<std::string_view, 8> kAllowed{"unroll",           "nounroll",        "once",
                                                     "nv_diag_suppress", "nv_diag_default", "nv_diagnostic",
                                                     "diag_suppress",    "diag_default"};
  return std::find(kAllowed.begin(), kAllowed.end(), word) != kAllowed.end();
}

bool cuda_name_allowed(std::string_view name) {
  return name == "cudaTextureObject_t" || name == "cudaSurfaceObject_t";
}

}  // namespace kevolve::gates
