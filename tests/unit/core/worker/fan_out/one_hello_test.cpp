#include "core/worker/fan_out/one_hello.hpp"

#include <initializer_list>

#include "tests/catch.hpp"

namespace kevolve {
using namespace fan_out;
namespace {

using Catch::Matchers::ContainsSubstring;

NamedHello hello_of(const std::string& child, const std::string& model = "NVIDIA H200") {
  DeviceInfo device;
  device.name = "cuda:0";
  device.model = model;
  device.architecture = "sm_90a";
  device.driver = "570.1";
  device.toolchain = "NVRTC 13.0";
  device.torch = "2.11.0";
  Hello hello;
  hello.version = "0.1.0";
  hello.devices = {device};
  return {child, hello};
}

TEST_CASE("one hello for all names as many candidates at once as there are processes") {
  const auto one = one_hello({hello_of("gpu=0"), hello_of("gpu=1"), hello_of("gpu=5")});
  REQUIRE(one);
  CHECK(one->parallel == 3);
  CHECK(one->version == "0.1.0");
  REQUIRE(one->devices.size() == 1);
  CHECK(one->devices[0].model == "NVIDIA H200");
}

TEST_CASE("facts and rates, which each process measures for itself, need not agree") {
  NamedHello other = hello_of("gpu=1");
  other.hello.devices[0].facts = {"It is warm."};
  other.hello.devices[0].memory_bytes_per_us = 17;
  CHECK(one_hello({hello_of("gpu=0"), other}));
}

TEST_CASE("GPUs that differ are refused by name") {
  const auto one = one_hello({hello_of("gpu=0"), hello_of("gpu=1", "NVIDIA A100")});
  REQUIRE_FALSE(one);
  CHECK_THAT(one.error().message, ContainsSubstring("gpu=0 has cuda:0 | NVIDIA H200"));
  CHECK_THAT(one.error().message, ContainsSubstring("gpu=1 has cuda:0 | NVIDIA A100"));
  CHECK_THAT(one.error().message, ContainsSubstring("--gpus cuda:0,cuda:1"));
}

TEST_CASE("driver, toolchain, torch and the list of devices count, too") {
  const NamedHello first = hello_of("gpu=0");
  for (std::string DeviceInfo::*field :
       {&DeviceInfo::architecture, &DeviceInfo::driver, &DeviceInfo::toolchain, &DeviceInfo::torch}) {
    NamedHello other = hello_of("gpu=1");
    other.hello.devices[0].*field = "another";
    CHECK_FALSE(agree(first, other));
  }
  NamedHello more = hello_of("gpu=1");
  more.hello.devices.push_back(more.hello.devices[0]);
  CHECK_FALSE(agree(first, more));
}

TEST_CASE("versions that differ are refused") {
  NamedHello other = hello_of("gpu=1");
  other.hello.version = "0.2.0";
  const auto agreed = agree(hello_of("gpu=0"), other);
  REQUIRE_FALSE(agreed);
  CHECK_THAT(agreed.error().message, ContainsSubstring("gpu=0 has 0.1.0, gpu=1 has 0.2.0"));
}

}  // namespace
}  // namespace kevolve
