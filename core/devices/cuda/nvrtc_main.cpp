// kevolve-nvrtc: compiles one candidate. A CompileJob on stdin, a CompileAnswer on stdout, cubins in the
// job's output folder. A process of its own because it reads foreign source: it is run in a sandbox, killed
// at a deadline, and NVRTC's front end serialises the threads of one process anyway.

#include <unistd.h>

#include <cstring>
#include <iostream>
#include <iterator>

#include "core/devices/cuda/nvrtc.hpp"

namespace {

void print(const kevolve::cuda::CompileAnswer& answer) {
  using nlohmann::detail::error_handler_t;  // a source's bytes, and so its errors, need not be UTF-8
  std::cout << to_json(answer).dump(-1, ' ', false, error_handler_t::replace) << std::endl;
}

kevolve::Result<kevolve::cuda::CompileAnswer> answer_to(const std::string& request) {
  const auto json = kevolve::parse_json(request, "compile job");
  if (!json) return kevolve::failure(json.error());
  const auto job = kevolve::cuda::compile_job_from_json(*json);
  if (!job) return kevolve::failure(job.error());
  const auto nvrtc = kevolve::cuda::Nvrtc::load(job->library, job->companions);
  if (!nvrtc) return kevolve::failure(nvrtc.error());
  return nvrtc->run(*job);
}

/// NVRTC_* variables change what is compiled and where it is logged.
void scrub_environment() {
  for (std::size_t i = 0; environ[i] != nullptr;) {
    const char* end = std::strchr(environ[i], '=');
    const std::string name(environ[i], end != nullptr ? end - environ[i] : 0);
    if (name.rfind("NVRTC_", 0) == 0 && unsetenv(name.c_str()) == 0) continue;
    ++i;
  }
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::cerr
        << "kevolve-nvrtc takes no arguments: it reads a compile job (JSON) on stdin, writes cubins into "
           "the job's output folder and its answer on stdout. The cuda device starts it.\n";
    return 2;
  }
  scrub_environment();
  const std::string request{std::istreambuf_iterator<char>(std::cin), {}};
  if (auto answer = answer_to(request)) {
    print(*answer);
  } else {
    kevolve::cuda::CompileAnswer failed;
    failed.message = answer.error().message;
    print(failed);
  }
  std::_Exit(0);  // NVRTC's own clean-up takes longer than it is worth
}
