#include "core/devices/cuda/cubin_cache.hpp"

#include <fstream>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    char name[] = "/tmp/kevolve_cubin_cache_XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
};

const std::string kKey = sha256_hex("key");

Manifest manifest_of(const std::string& cubin) {
  Manifest manifest{
      "sm_90a", "13.0", {{"0.cubin", static_cast<std::int64_t>(cubin.size()), sha256_hex(cubin)}}, {}, {}};
  manifest.kernels = {{"rows<4>", 64, 0, "_Z4rowsILi4EEvPf"}};
  manifest.report.binary_hash = "hash";
  manifest.report.binary_bytes = static_cast<std::int64_t>(cubin.size());
  manifest.report.log = "a \"log\"";
  manifest.report.resources = {{"rows<4>.registers", 34}};
  return manifest;
}

void add(const CubinCache& cache, const std::string& cubin) {
  const auto begun = cache.begin();
  REQUIRE(begun);
  std::ofstream(*begun / "0.cubin") << cubin;
  REQUIRE(cache.commit(*begun, kKey, manifest_of(cubin)));
}

}  // namespace

TEST_CASE("an entry is found as it was committed") {
  const Folder folder;
  const auto cache = CubinCache::open(folder.path / "new" / "cache");
  REQUIRE(cache);
  CHECK_FALSE(cache->find(kKey));
  add(*cache, "cubin");
  const auto found = cache->find(kKey);
  REQUIRE(found);
  CHECK(found->report.cached);
  CHECK(to_json(*found) == to_json(manifest_of("cubin")));
  CHECK(found->kernels.at(0).symbol == "_Z4rowsILi4EEvPf");
}

TEST_CASE("a damaged entry is no entry, and is replaced") {
  const Folder folder;
  const auto cache = CubinCache::open(folder.path);
  REQUIRE(cache);
  add(*cache, "cubin");
  std::ofstream(cache->manifest_path(kKey).parent_path() / "0.cubin") << "cub";
  CHECK_FALSE(cache->find(kKey));
  add(*cache, "cubin");
  CHECK(cache->find(kKey));
  std::ofstream(cache->manifest_path(kKey)) << "{";
  CHECK_FALSE(cache->find(kKey));
  add(*cache, "cubin");
  CHECK(cache->find(kKey));
}

TEST_CASE("of two that commit the same entry both succeed") {
  const Folder folder;
  const auto cache = CubinCache::open(folder.path);
  REQUIRE(cache);
  add(*cache, "cubin");
  add(*cache, "cubin");
  CHECK(cache->find(kKey));
}

TEST_CASE("what was only begun is never found, and is removed when it is old") {
  const Folder folder;
  const auto cache = CubinCache::open(folder.path);
  REQUIRE(cache);
  const auto old = cache->begin();
  const auto fresh = cache->begin();
  REQUIRE((old && fresh));
  CHECK_FALSE(cache->find(kKey));
  fs::last_write_time(*old, fs::file_time_type::clock::now() - std::chrono::hours(48));
  REQUIRE(CubinCache::open(folder.path));
  CHECK_FALSE(fs::exists(*old));
  CHECK(fs::exists(*fresh));
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  const auto cache = CubinCache::open("/proc/none");
  REQUIRE_FALSE(cache);
  CHECK(cache.error().message.find("/proc/none") != std::string::npos);
}

}  // namespace kevolve
