#include "core/devices/cpu/compiler.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "core/devices/cpu/machine.hpp"
#include "core/model/candidate.hpp"
#include "core/process/command.hpp"
#include "core/process/unique_fd.hpp"
#include "core/text/json.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cpu {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHeaderName = "kevolve_simt.hpp";
constexpr std::size_t kCompilerMemory = std::size_t{4} << 30;
constexpr std::size_t kLargestFile = std::size_t{256} << 20;
constexpr std::chrono::seconds kHeaderDeadline{300};

/// Device code has no exceptions, no RTTI and no guarded statics; it reinterprets memory freely, and
/// contracts a * b + c as nvcc does. --no-undefined is not asked for: the runner provides the runtime.
const std::vector<std::string> kCodeFlags{"-std=c++20",
                                          "-O3",
                                          "-march=native",
                                          "-fPIC",
                                          "-ftls-model=initial-exec",
                                          "-fvisibility=hidden",
                                          "-fno-exceptions",
                                          "-fno-rtti",
                                          "-fno-threadsafe-statics",
                                          "-fno-use-cxa-atexit",
                                          "-fno-strict-aliasing",
                                          "-fno-math-errno",
                                          "-fno-trapping-math",
                                          "-ffp-contract=fast",
                                          "-fstack-clash-protection",
                                          "-fno-stack-protector",
                                          "-fno-asynchronous-unwind-tables",
                                          "-pipe"};
const std::vector<std::string> kMessageFlags{"-fmax-errors=8",
                                             "-fmessage-length=0",
                                             "-fdiagnostics-color=never",
                                             "-fno-diagnostics-show-caret",
                                             "-fopt-info-vec-optimized-missed",
                                             "-ftrack-macro-expansion=0",
                                             "-Wno-unknown-pragmas",
                                             "-Wno-attributes"};
const std::vector<std::string> kLinkFlags{
    "-shared", "-nostdlib", "-Wl,-z,now,-z,relro,-z,noexecstack,--build-id=none,--as-needed",
    "-lm",     "-lc",       "-lgcc"};

/// A folder that exists while its owner does.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& parent) {
    std::string name = (parent / "tmp-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return failure("cannot write '" + path.string() + "': " + std::strerror(errno));
  return {};
}

Result<void> move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return failure("cannot write '" + to.string() + "': " + error.message());
  return {};
}

/// An exclusive lock among processes and threads, held until it is destroyed.
Result<process::UniqueFd> lock(const fs::path& path) {
  process::UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  while (fd.valid() && ::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fd.reset();
  }
  if (!fd.valid()) return failure("cannot lock '" + path.string() + "': " + std::strerror(errno));
  return fd;
}

Result<std::string> first_line_of(const std::vector<std::string>& argv) {
  const auto result = process::run_command(argv, "", {.output_bytes = 4096});
  if (!result) return failure(result.error());
  if (result->exit_code != 0) return failure("'" + argv[0] + " " + argv[1] + "' failed: " + result->err);
  return result->out.substr(0, result->out.find('\n'));
}

/// By nothing that a source can do: its time, memory and files are limited otherwise. The driver reports a
/// killed pass in a line of its own, which no message about a source begins like.
bool was_killed(const process::CommandResult& result) {
  constexpr int kKilled = 128 + 9;
  constexpr std::string_view kReport = ": fatal error: Killed signal terminated program ";
  const std::size_t at = result.err.find(kReport);
  if (result.timed_out) return false;
  if (result.exit_code == kKilled) return true;
  if (result.exit_code == 0 || at == std::string::npos) return false;
  const std::size_t begin = result.err.rfind('\n', at) + 1;  // 0 when it is the first line
  return result.err.substr(begin, at - begin).find_first_of(": ") == std::string::npos;
}

}  // namespace

std::string arithmetic_flags() {
  std::string text;
  for (const std::string& flag : kCodeFlags) {
    for (const std::string_view telling :
         {"-O", "-m", "-ffp-", "-ffast-", "-fno-math", "-fno-trapping", "-fno-strict"}) {
      if (flag.starts_with(telling)) text += (text.empty() ? "" : " ") + flag;
    }
  }
  return text;
}

Result<std::unique_ptr<Compiler>> Compiler::open(const CompilerSettings& settings) {
  std::unique_ptr<Compiler> compiler(new Compiler(settings));
  std::error_code error;
  compiler->settings_.cache_folder = fs::absolute(settings.cache_folder);
  fs::create_directories(compiler->settings_.cache_folder, error);
  if (error || ::access(compiler->settings_.cache_folder.c_str(), W_OK) != 0)
    return failure("the cache folder '" + settings.cache_folder.string() + "' cannot be made or written");
  const auto number = first_line_of({settings.program, "-dumpfullversion"});
  if (!number) return failure(number.error().in("the cpu device needs a C++ compiler (apt-get install g++)"));
  const auto banner = first_line_of({settings.program, "--version"});
  if (!banner) return failure(banner.error());
  compiler->version_ = "g++ " + *number;
  compiler->identity_ = *banner + "\n" + processor_identity() + "\n";
  // What was compiled without a sandbox may hold the machine's files: never taken for what was compiled
  // inside.
  const auto sandbox = process::sandboxed({"true"}, {});
  if (!sandbox) return failure(sandbox.error());
  compiler->identity_ += sandbox->front() + "\n";
  for (const auto* flags : {&kCodeFlags, &kLinkFlags})
    for (const std::string& flag : *flags) compiler->identity_ += flag + " ";
  const fs::path includes = compiler->simt_folder() / "include";
  for (fs::recursive_directory_iterator it(includes, error), end; !error && it != end; it.increment(error))
    if (it->is_regular_file())
      compiler->header_names_.insert(it->path().lexically_relative(includes).string());
  if (compiler->header_names_.count(kHeaderName) == 0)
    return failure("the SIMT header was not found in '" + includes.string() + "'");
  return compiler;
}

std::vector<std::string> Compiler::own_paths() const {
  return {simt_folder().string() + "/include/", settings_.headers.string() + "/",
          settings_.cache_folder.string() + "/"};
}

std::vector<std::string> Compiler::base_command() const {
  std::vector<std::string> argv{settings_.program};
  for (const auto* flags : {&kCodeFlags, &kMessageFlags})
    argv.insert(argv.end(), flags->begin(), flags->end());
  argv.insert(argv.end(), {"-I", (simt_folder() / "include").string(), "-I", settings_.headers.string()});
  return argv;
}

Result<std::string> Compiler::header_key() const {
  std::map<std::string, std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(simt_folder(), error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file()) continue;
    auto text = read_text_file(it->path());
    if (!text) return failure(text.error());
    files[it->path().string()] = std::move(*text);
  }
  std::string all = identity_;
  for (const auto& [path, text] : files) all += "\n" + path + "\n" + text;
  return sha256_hex(all);
}

Result<fs::path> Compiler::precompiled_header() {
  const std::lock_guard guard(header_mutex_);
  if (!header_.empty()) return header_;
  const auto key = header_key();
  if (!key) return failure(key.error());
  const fs::path folder = settings_.cache_folder / ("header-" + *key);
  const auto held = lock(settings_.cache_folder / "header.lock");
  if (!held) return failure(held.error());
  if (!fs::exists(folder / (std::string(kHeaderName) + ".gch")))
    if (auto built = build_precompiled_header(folder); !built) return failure(built.error());
  identity_ += *key;
  header_ = folder / kHeaderName;
  return header_;
}

Result<void> Compiler::build_precompiled_header(const fs::path& folder) const {
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path header = folder / kHeaderName, unfinished = folder / "unfinished";
  if (auto written = write_file(header, std::string("#include <") + kHeaderName + ">\n"); !written)
    return written;
  auto command = base_command();
  command.insert(command.end(), {"-x", "c++-header", header.string(), "-o", unfinished.string()});
  const auto argv = process::sandboxed(command, {.read_only = {simt_folder()}, .writable = {folder}});
  if (!argv) return failure(argv.error());
  const auto result =
      process::run_command(*argv, "", {.deadline = kHeaderDeadline, .memory_bytes = kCompilerMemory});
  if (!result) return failure(result.error());
  if (result->exit_code != 0)
    return failure("the SIMT header does not compile: " + result->err.substr(0, 4096));
  return move_file(unfinished, header.string() + ".gch");
}

Result<CompileAttempt> Compiler::compile(const std::string& unit, std::chrono::milliseconds deadline) {
  const auto header = precompiled_header();
  if (!header) return failure(header.error().in("cpu device"));
  const std::string key = sha256_hex(identity_ + "\n" + unit);
  const fs::path folder = settings_.cache_folder / key.substr(0, 2);
  const fs::path library = folder / (key + ".so");
  if (fs::exists(library)) {
    const auto output = read_text_file(folder / (key + ".log"));
    return CompileAttempt{CompileAttempt::Kind::compiled, library, output.value_or(""), true};
  }
  std::error_code error;
  fs::create_directories(folder, error);
  return run(unit, *header, library, deadline);
}

Result<CompileAttempt> Compiler::run(const std::string& unit, const fs::path& header, const fs::path& library,
                                     std::chrono::milliseconds deadline) const {
  const TemporaryFolder folder(settings_.cache_folder);
  if (folder.path().empty())
    return failure("cannot make a folder in '" + settings_.cache_folder.string() +
                   "': " + std::strerror(errno));
  auto command = base_command();
  const fs::path output = folder.path() / "out.so";
  command.insert(command.end(), {"-include", header.string(), "-x", "c++", "-", "-o", output.string()});
  command.insert(command.end(), kLinkFlags.begin(), kLinkFlags.end());
  const auto argv = process::sandboxed(
      command, {.read_only = {simt_folder(), header.parent_path()}, .writable = {folder.path()}});
  if (!argv) return failure(argv.error());
  const auto result = process::run_command(
      *argv, unit, {.deadline = deadline, .memory_bytes = kCompilerMemory, .file_bytes = kLargestFile});
  if (!result) return failure(result.error());

  CompileAttempt attempt{CompileAttempt::Kind::compiled, library, result->err, false};
  if (result->timed_out) {
    attempt.kind = CompileAttempt::Kind::timed_out;
  } else if (was_killed(*result)) {
    return failure(
        "the compiler was killed from outside (signal 9): by hand, or by the kernel for want of memory");
  } else if (result->exit_code != 0) {
    const bool exhausted = result->err.find("out of memory") != std::string::npos ||
                           result->err.find("virtual memory exhausted") != std::string::npos;
    attempt.kind = exhausted ? CompileAttempt::Kind::out_of_memory : CompileAttempt::Kind::refused;
  } else {
    const fs::path log = folder.path() / "log";
    if (auto done = write_file(log, result->err); !done) return failure(done.error());
    if (auto done = move_file(log, fs::path(library).replace_extension(".log")); !done)
      return failure(done.error());
    if (auto done = move_file(output, library); !done) return failure(done.error());
  }
  return attempt;
}

}  // namespace kevolve::cpu
