#pragma once
// The test framework, the same for Catch2 2.x (Debian 12) and 3.x (Ubuntu 24.04).
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) {
  return Contains(text);
}  // its name in 3.x
}  // namespace Catch::Matchers
#endif
