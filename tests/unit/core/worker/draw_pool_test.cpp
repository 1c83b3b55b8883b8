#include "core/worker/draw_pool.hpp"

#include "core/devices/host_memory.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/worker/requests.hpp"

namespace kevolve {
using namespace devices;
using namespace gates;
using namespace judge;
using namespace worker;
namespace {

struct Judged {
  Judged() : Judged(host) {}
  explicit Judged(Memory& memory) {
    auto op = parse_operator(request_for(candidate("k")).operator_document, "operator");
    if (!op) FAIL(op.error().message);
    auto created = Judge::create(std::move(*op), 1, memory);
    if (!created) FAIL(created.error().message);
    judge = std::move(*created);
  }
  std::shared_ptr<const Draw> get(DrawPool& pool, std::uint64_t number = 0) {
    auto draw = pool.get(*judge, judge->op().workloads[0].axes, timed_distribution(judge->op()), number);
    if (!draw) FAIL(draw.error().message);
    return *draw;
  }

  HostMemory host;
  std::unique_ptr<Judge> judge;
};

constexpr std::size_t kPlenty = std::size_t{1} << 30;

}  // namespace

TEST_CASE("where draws are cheap every candidate has its own") {
  Judged judged;
  DrawPool pool(1, kPlenty);
  const Seed first = pool.begin("a", false);
  const auto draw = judged.get(pool);
  CHECK(pool.begin("a", false).bits != first.bits);
  CHECK(judged.get(pool) != draw);
}

TEST_CASE("a family of draws serves so many candidates and is then thrown away") {
  Judged judged;
  DrawPool pool(3, kPlenty);
  const Seed seed = pool.begin("a", false);
  const auto zero = judged.get(pool, 0), one = judged.get(pool, 1);
  CHECK(zero != one);
  for (int candidate = 1; candidate < 3; ++candidate) {
    CHECK(pool.begin("a", false).bits == seed.bits);
    CHECK(judged.get(pool, 0) == zero);
    CHECK(judged.get(pool, 1) == one);
  }
  CHECK(pool.begin("a", false).bits != seed.bits);
  CHECK(judged.get(pool, 0) != zero);
}

TEST_CASE("fresh draws are met by nobody else, and other families keep theirs") {
  Judged judged;
  DrawPool pool(100, kPlenty);
  pool.begin("a", false);
  const auto a = judged.get(pool);
  pool.begin("b", false);
  const auto b = judged.get(pool);
  CHECK(a != b);
  pool.begin("b", true);
  CHECK(judged.get(pool) != b);
  pool.begin("a", false);
  CHECK(judged.get(pool) == a);
}

TEST_CASE("the least recently used draws make room") {
  Judged judged;
  DrawPool measure(2, kPlenty);
  measure.begin("a", false);
  const std::size_t one = judged.get(measure)->size_bytes;
  REQUIRE(one > 0);
  DrawPool pool(100, 10 * one);  // two may be kept, eight are left free
  pool.begin("a", false);
  const auto a = judged.get(pool);
  pool.begin("b", false);
  const auto b = judged.get(pool);
  pool.begin("c", false);
  judged.get(pool);  // a's has to go
  pool.begin("b", false);
  CHECK(judged.get(pool) == b);
  pool.begin("a", false);
  CHECK(judged.get(pool) != a);
}

TEST_CASE("draws that are kept give way to one for which there is no memory") {
  class Scarce : public HostMemory {
   public:
    Result<std::shared_ptr<std::byte>> allocate(std::size_t size_bytes) override {
      if (refused > 0) return --refused, failure("out of memory");
      return HostMemory::allocate(size_bytes);
    }
    int refused = 0;
  } scarce;
  Judged judged(scarce);
  DrawPool pool(100, kPlenty);
  pool.begin("a", false);
  const auto kept = judged.get(pool, 0);
  CHECK(judged.get(pool, 0) == kept);
  scarce.refused = 1;
  const auto next = judged.get(pool, 1);
  CHECK(judged.get(pool, 1) == next);
  CHECK(judged.get(pool, 0) != kept);
  DrawPool empty(100, kPlenty);
  empty.begin("a", false);
  scarce.refused = 1;
  CHECK_FALSE(empty.get(*judged.judge, judged.judge->op().workloads[0].axes,
                        timed_distribution(judged.judge->op()), 0));
}

}  // namespace kevolve
