#pragma once
// What several worker processes say, as one worker would: pure.

#include <string>
#include <vector>

#include "core/model/worker_protocol.hpp"

namespace kevolve::fan_out {

struct NamedHello {
  std::string child;  ///< "gpu=3"
  Hello hello;
};

/// Times of children that differ in version or device could not be compared: an error that names both.
Result<void> agree(const NamedHello& first, const NamedHello& other);

/// The first one's, for as many candidates at once as there are; `hellos` must not be empty.
Result<Hello> one_hello(const std::vector<NamedHello>& hellos);

}  // namespace kevolve::fan_out
