#include "core/worker/fan_out/one_hello.hpp"

#include <fmt/format.h>

namespace kevolve::fan_out {
namespace {

std::string keys_of(const Hello& hello) {
  std::string keys;
  for (const DeviceInfo& device : hello.devices) keys += (keys.empty() ? "" : "; ") + device.key();
  return keys;
}

}  // namespace

Result<void> agree(const NamedHello& first, const NamedHello& other) {
  if (first.hello.protocol != other.hello.protocol || first.hello.version != other.hello.version) {
    return failure(fmt::format("worker processes disagree on their version: {} has {}, {} has {}",
                               first.child, first.hello.version, other.child, other.hello.version));
  }
  const std::string ours = keys_of(first.hello), theirs = keys_of(other.hello);
  if (ours == theirs) return {};
  return failure(fmt::format(
      "worker processes disagree on their devices: {} has {}, {} has {}; their times cannot be compared. "
      "Name GPUs that are alike (--gpus cuda:0,cuda:1), and use the others in a worker of their own",
      first.child, ours, other.child, theirs));
}

Result<Hello> one_hello(const std::vector<NamedHello>& hellos) {
  Hello one = hellos.front().hello;
  one.parallel = 0;
  for (const NamedHello& other : hellos) {
    TRY_DO(agree(hellos.front(), other));
    one.parallel += other.hello.parallel;
  }
  return one;
}

}  // namespace kevolve::fan_out
