#include "core/model/tried.hpp"

#include <string>

#include "tests/catch.hpp"

namespace kevolve {

TEST_CASE("what was tried is known again, also in copies, which go their own ways") {
  Tried tried({Tried::mark("b"), Tried::mark("a"), Tried::mark("b")});
  CHECK(tried.size() == 2);
  CHECK(tried.contains("a"));
  CHECK_FALSE(tried.contains("c"));
  Tried copy = tried;
  CHECK(copy.insert("c"));
  CHECK_FALSE(copy.insert("c"));
  CHECK_FALSE(copy.insert("a"));
  CHECK(copy.size() == 3);
  CHECK_FALSE(tried.contains("c"));
  CHECK(Tried().empty());
  CHECK_FALSE(Tried().contains("a"));
}

TEST_CASE("ten thousand hashes have ten thousand marks") {
  Tried tried;
  for (int i = 0; i < 10'000; ++i) CHECK(tried.insert(std::to_string(i)));
}

}  // namespace kevolve
