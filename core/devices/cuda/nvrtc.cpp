#include "core/devices/cuda/nvrtc.hpp"

#include <dlfcn.h>

#include <fstream>

#include "core/devices/cuda/prelude.hpp"
#include "core/devices/cuda/ptx_globals.hpp"
#include "core/devices/cuda/ptx_tensor_cores.hpp"

namespace kevolve::cuda {

// The functions used, declared by hand after NVIDIA's documentation of NVRTC 12 and 13: the ABI is stable,
// and no CUDA header is needed to build kevolve. A result of 0 is success, 6 a source that does not compile.
struct Nvrtc::Functions {
  using Program = void*;
  const char* (*error_string)(int) = nullptr;
  int (*version)(int*, int*) = nullptr;
  int (*num_architectures)(int*) = nullptr;
  int (*architectures)(int*) = nullptr;
  int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*) = nullptr;
  int (*add_name)(Program, const char*) = nullptr;
  int (*compile)(Program, int, const char* const*) = nullptr;
  int (*log_size)(Program, std::size_t*) = nullptr;
  int (*log)(Program, char*) = nullptr;
  int (*lowered_name)(Program, const char*, const char**) = nullptr;
  int (*cubin_size)(Program, std::size_t*) = nullptr;
  int (*cubin)(Program, char*) = nullptr;
  int (*ptx_size)(Program, std::size_t*) = nullptr;
  int (*ptx)(Program, char*) = nullptr;
};

namespace {

constexpr int kCompilationFailed = 6;
constexpr std::size_t kLogBytes = 128 * 1024;  // of a group; errors that matter come first

template <class F>
bool resolve_symbol(void* library, const char* symbol, F& function) {
  function = reinterpret_cast<F>(dlsym(library, symbol));
  return function != nullptr;
}

std::string log_of(const Nvrtc::Functions& nvrtc, void* program) {
  std::size_t size = 0;
  if (nvrtc.log_size(program, &size) != 0 || size <= 1) return {};
  std::string log(size, '\0');
  if (nvrtc.log(program, log.data()) != 0) return {};
  log.resize(std::min(size - 1, kLogBytes));
  return log;
}

std::vector<std::string> options_of(const CompileJob& job, const CompileGroup& group) {
  std::vector<std::string> options = fixed_compile_options();
  options.push_back("--gpu-architecture=" + job.architecture);
  if (group.max_registers > 0) options.push_back("--maxrregcount=" + std::to_string(group.max_registers));
  for (const auto& folder : job.include_folders) options.push_back("--include-path=" + folder.string());
  for (const auto& [macro, value] : job.macros) options.push_back("--define-macro=" + macro + "=" + value);
  return options;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const auto& text : texts) result.push_back(text.c_str());
  return result;
}

std::string ptx_of(const Nvrtc::Functions& nvrtc, void* program) {
  std::size_t size = 0;
  if (nvrtc.ptx_size(program, &size) != 0) return {};
  std::string ptx(size, '\0');
  return nvrtc.ptx(program, ptx.data()) == 0 ? ptx : std::string();
}

std::string write_cubin(const Nvrtc::Functions& nvrtc, void* program, const std::filesystem::path& path) {
  std::size_t size = 0;
  if (const int code = nvrtc.cubin_size(program, &size); code != 0)
    return std::string("nvrtcGetCUBINSize: ") + nvrtc.error_string(code);
  std::string cubin(size, '\0');
  if (const int code = nvrtc.cubin(program, cubin.data()); code != 0)
    return std::string("nvrtcGetCUBIN: ") + nvrtc.error_string(code);
  std::ofstream file(path, std::ios::binary);
  file.write(cubin.data(), static_cast<std::streamsize>(cubin.size()));
  file.close();
  return file ? "" : "cannot write " + path.string() + " (disk full, or larger than the quota)";
}

/// Compiles one group into `answer`; false when it or the whole job cannot go on.
bool compile_group(const Nvrtc::Functions& nvrtc, void* program, const CompileJob& job, std::size_t index,
                   CompileAnswer& answer) {
  const CompileGroup& group = job.groups[index];
  for (const auto& kernel : group.kernels) nvrtc.add_name(program, kernel.c_str());
  const auto options = options_of(job, group);
  const auto arguments = pointers(options);
  const int code = nvrtc.compile(program, static_cast<int>(arguments.size()), arguments.data());
  CompiledGroup compiled{log_of(nvrtc, program), {}, {}, {}};
  if (code != 0) {
    const bool rejected = code == kCompilationFailed;
    answer.status = rejected ? CompileAnswer::Status::rejected : CompileAnswer::Status::failed;
    answer.message =
        rejected ? compiled.log
                 : std::string("nvrtcCompileProgram: ") + nvrtc.error_string(code) + "\n" + compiled.log;
    return false;
  }
  for (const auto& kernel : group.kernels) {
    const char* lowered = nullptr;
    if (nvrtc.lowered_name(program, kernel.c_str(), &lowered) == 0) compiled.lowered[kernel] = lowered;
  }
  const std::string ptx = ptx_of(nvrtc, program);
  compiled.unreferenced = unreferenced_globals(ptx);
  compiled.tensor_cores = tensor_core_types(ptx);
  answer.message = write_cubin(nvrtc, program, job.output / cubin_name(index));
  answer.groups.push_back(std::move(compiled));
  return answer.message.empty();
}

}  // namespace

Result<Nvrtc> Nvrtc::load(const std::filesystem::path& library,
                          const std::vector<std::filesystem::path>& companions) {
  // NVRTC opens its builtins by name; loaded first by path, they are found wherever they lie.
  for (const auto& companion : companions)
    if (dlopen(companion.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) return failure(std::string(dlerror()));
  void* handle = dlopen(library.c_str(), RTLD_NOW);
  if (handle == nullptr) return failure(std::string(dlerror()));
  auto* functions = new Functions;  // lives as long as the library: until the process ends
  const bool complete = resolve_symbol(handle, "nvrtcGetErrorString", functions->error_string) &&
                        resolve_symbol(handle, "nvrtcVersion", functions->version) &&
                        resolve_symbol(handle, "nvrtcGetNumSupportedArchs", functions->num_architectures) &&
                        resolve_symbol(handle, "nvrtcGetSupportedArchs", functions->architectures) &&
                        resolve_symbol(handle, "nvrtcCreateProgram", functions->create) &&
                        resolve_symbol(handle, "nvrtcAddNameExpression", functions->add_name) &&
                        resolve_symbol(handle, "nvrtcCompileProgram", functions->compile) &&
                        resolve_symbol(handle, "nvrtcGetProgramLogSize", functions->log_size) &&
                        resolve_symbol(handle, "nvrtcGetProgramLog", functions->log) &&
                        resolve_symbol(handle, "nvrtcGetLoweredName", functions->lowered_name) &&
                        resolve_symbol(handle, "nvrtcGetCUBINSize", functions->cubin_size) &&
                        resolve_symbol(handle, "nvrtcGetCUBIN", functions->cubin) &&
                        resolve_symbol(handle, "nvrtcGetPTXSize", functions->ptx_size) &&
                        resolve_symbol(handle, "nvrtcGetPTX", functions->ptx);
  if (!complete) return failure(library.string() + " is no NVRTC of CUDA 12 or newer: " + dlerror());
  return Nvrtc(functions);
}

CompileAnswer Nvrtc::run(const CompileJob& job) const {
  CompileAnswer answer;
  int major = 0, minor = 0, count = 0;
  functions_->version(&major, &minor);
  answer.version = std::to_string(major) + "." + std::to_string(minor);
  if (functions_->num_architectures(&count) == 0 && count > 0) {
    answer.architectures.resize(static_cast<std::size_t>(count));
    functions_->architectures(answer.architectures.data());
  }
  std::vector<const char*> names, texts;
  for (const auto& header : builtin_headers()) {
    names.push_back(header.name);
    texts.push_back(header.text);
  }
  for (std::size_t i = 0; i < job.groups.size(); ++i) {
    void* program = nullptr;
    const int code = functions_->create(&program, job.source.c_str(), "candidate.cu",
                                        static_cast<int>(names.size()), texts.data(), names.data());
    if (code != 0) {
      answer.message = std::string("nvrtcCreateProgram: ") + functions_->error_string(code);
      return answer;
    }
    if (!compile_group(*functions_, program, job, i, answer)) return answer;
  }
  answer.status = CompileAnswer::Status::compiled;
  return answer;
}

}  // namespace kevolve::cuda
