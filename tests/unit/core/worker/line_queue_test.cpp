#include "core/worker/line_queue.hpp"

#include <atomic>
#include <sstream>

#include "tests/catch.hpp"

namespace kevolve {
using namespace worker;
namespace {

/// Counts how often somebody flushes it.
class Flushed : public std::stringbuf {
 public:
  std::atomic<int> times{0};

 protected:
  int sync() override {
    ++times;
    return 0;
  }
};

TEST_CASE("lines are taken in their order, to the end", "[worker]") {
  std::istringstream in("one\n\n \ntwo\nthree");
  LineQueue queue(in);
  std::vector<std::string> all;
  for (auto some = queue.take(2); !some.empty(); some = queue.take(2))
    all.insert(all.end(), some.begin(), some.end());
  CHECK(all == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("the thread that reads does not flush what another one writes to", "[worker]") {
  Flushed buffer;
  std::ostream out(&buffer);
  std::istringstream in("one\ntwo\n");
  in.tie(&out);  // as std::cin is to std::cout
  {
    LineQueue queue(in);
    while (!queue.take(1).empty()) {
    }
  }
  CHECK(buffer.times == 0);
}

}  // namespace
}  // namespace kevolve
