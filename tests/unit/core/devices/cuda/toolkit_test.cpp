#include "core/devices/cuda/toolkit.hpp"

#include <fstream>

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;
namespace {

namespace fs = std::filesystem;

struct ToolkitFolder {
  fs::path path;
  ToolkitFolder() {
    char name[] = "/tmp/kevolve_toolkit_XXXXXX";
    path = fs::canonical(::mkdtemp(name));
  }
  ~ToolkitFolder() { fs::remove_all(path); }
  void file(const std::string& name) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << "x";
  }
};

}  // namespace

TEST_CASE("a toolkit is headers and libnvrtc, in lib64 or lib") {
  const ToolkitFolder root;
  root.file("include/cuda_fp16.h");
  CHECK(toolkit_in(root.path).error().message.find("include/crt/host_defines.h") != std::string::npos);
  root.file("include/crt/host_defines.h");
  CHECK(toolkit_in(root.path).error().message.find("libnvrtc.so") != std::string::npos);
  root.file("lib/libnvrtc.alt.so.13");
  CHECK_FALSE(toolkit_in(root.path));
  root.file("lib/libnvrtc.so.13");
  root.file("lib/libnvrtc-builtins.so.13.0");
  const auto toolkit = toolkit_in(root.path);
  REQUIRE(toolkit);
  CHECK(toolkit->library == root.path / "lib/libnvrtc.so.13");
  CHECK(toolkit->companions == std::vector<fs::path>{root.path / "lib/libnvrtc-builtins.so.13.0"});
  CHECK(toolkit->include_folders == std::vector<fs::path>{root.path / "include"});
  fs::create_directories(root.path / "include/cccl");
  CHECK(toolkit_in(root.path)->include_folders.size() == 2);
}

TEST_CASE("a folder that is no toolkit is named with what it lacks") {
  CHECK(toolkit_in("/no/such/toolkit").error().message == "'/no/such/toolkit' does not exist");
}

}  // namespace kevolve
