// CUPTI's Host API: what it can say without a GPU. Where there is no libcupti, and under ASan, a test ends
// with code 4, which CTest reports as skipped.
#include "core/devices/cuda/cupti.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/devices/cuda/profiler.hpp"
#include "core/devices/cuda/toolkit.hpp"
#include "core/gates/profile.hpp"
#include "tests/catch.hpp"
#include "tests/sanitizers.hpp"

namespace kevolve {
using namespace cuda;
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;

[[noreturn]] void skip(const std::string& why) {
  std::fprintf(stderr, "SKIPPED: %s\n", why.c_str());
  std::_Exit(4);
}

std::filesystem::path library() {
  const auto toolkit = find_toolkit(KEVOLVE_BIN_DIR);
  return find_cupti(toolkit ? toolkit->root : std::filesystem::path());
}

const Cupti& cupti() {
  if (test::kAddressSanitizer) skip("libcupti loads a library with RTLD_DEEPBIND, which ASan refuses");
  static const Result<Cupti> loaded = Cupti::load(library());
  if (!loaded) skip(loaded.error().message);
  return *loaded;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

MetricSchedule schedule(const std::string& chip, const std::vector<std::string>& metrics) {
  auto host = MetricHost::create(cupti(), chip);
  if (!host) FAIL(host.error().message);
  auto made = host->schedule(metrics);
  if (!made) FAIL(made.error().message);
  return std::move(*made);
}

TEST_CASE("a GH100 has all curated metrics and counts them in five passes") {
  const MetricSchedule made = schedule("GH100", curated_counters());
  INFO(list(made.missing));
  CHECK(made.missing.empty());
  CHECK(made.metrics == curated_counters());
  CHECK(made.passes >= 1);
  CHECK(made.passes <= 5);
  CHECK_FALSE(made.config.empty());
}

TEST_CASE("other data-centre chips lack the stalls of asynchronous tensor cores at most") {
  for (const char* chip : {"GA100", "AD102", "GB100"}) {
    const MetricSchedule made = schedule(chip, curated_counters());
    INFO(chip << " lacks " << list(made.missing));
    CHECK(made.missing.size() <= 1);
    CHECK(made.passes <= 8);
  }
}

TEST_CASE("a metric that the chip lacks does not cost the others") {
  const MetricSchedule made = schedule("GH100", {"no__such_thing.sum", "dram__bytes_read.sum"});
  CHECK(made.metrics == std::vector<std::string>{"dram__bytes_read.sum"});
  CHECK(made.missing == std::vector<std::string>{"no__such_thing.sum"});
  CHECK(made.passes == 1);
  auto host = MetricHost::create(cupti(), "GH100");
  REQUIRE(host);
  CHECK_THAT(host->schedule({"no__such_thing.sum"}).error().message,
             ContainsSubstring("none of the metrics"));
}

TEST_CASE("a chip that CUPTI does not know is named") {
  const auto host = MetricHost::create(cupti(), "GZ999");
  REQUIRE_FALSE(host);
  CHECK_THAT(host.error().message, ContainsSubstring("GZ999") && ContainsSubstring("CUPTI_ERROR"));
}

TEST_CASE("errors name the call, and the remedy where there is one") {
  const auto refused = cupti().check(CUPTI_ERROR_INSUFFICIENT_PRIVILEGES, "cuptiRangeProfilerEnable");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, ContainsSubstring("cuptiRangeProfilerEnable: ") &&
                                          ContainsSubstring("INSUFFICIENT_PRIVILEGES") &&
                                          ContainsSubstring("NVreg_RestrictProfilingToAdminUsers=0"));
  CHECK(cupti().check(CUPTI_SUCCESS, "anything"));
}

TEST_CASE("a missing or foreign library is named with what to install") {
  const auto missing = Cupti::load("/nowhere/libcupti.so.13");
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message,
             ContainsSubstring("/nowhere/libcupti.so.13") && ContainsSubstring("Install the CUDA toolkit"));
  const auto foreign = Cupti::load("libm.so.6");
  REQUIRE_FALSE(foreign);
  CHECK_THAT(foreign.error().message, ContainsSubstring("too old"));
}

TEST_CASE("libcupti is found beside NVRTC or in extras, newest first") {
  char name[] = "/tmp/kevolve_cupti_test_XXXXXX";
  const std::filesystem::path root = ::mkdtemp(name);
  CHECK(find_cupti(root) == "libcupti.so.13");
  CHECK(find_cupti("") == "libcupti.so.13");
  for (const char* file :
       {"extras/CUPTI/lib64/libcupti.so.12", "lib64/libcupti.so", "lib64/libcupti.so.13"}) {
    std::filesystem::create_directories((root / file).parent_path());
    std::ofstream(root / file) << "x";
    CHECK(find_cupti(root) == root / file);
  }
  std::filesystem::remove_all(root);
}

TEST_CASE("without a GPU the profiler says so") {
  if (Driver::load()) skip("this machine has a GPU");
  const auto profiler = Profiler::open(library(), 0);
  REQUIRE_FALSE(profiler);
  CHECK(profiler.error().message == Driver::load().error().message);
}

}  // namespace
}  // namespace kevolve
