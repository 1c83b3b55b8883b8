// Evidence from a summary and a sample. What it says of whole tensors: comparison_test.cpp.

#include "core/gates/evidence.hpp"

#include <cstring>

#include "core/gates/host_examination.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

/// A tensor that lies nowhere: 1000 rows of 1000, of which only `look` knows a value.
struct Far {
  Expectation expected{"y", "ramp", {1000, 1000}, {DType::f32, nullptr, 1000000}, {}, {}, {}};
  Elements answer{DType::f32, nullptr, 1000000};
  Wrong wrong;
  std::size_t looked = 0;

  Far() {
    wrong.count = 500000, wrong.worst = 2001;
    wrong.row_low = 2, wrong.row_high = 501, wrong.column_high = 999;
    for (std::size_t i = 2000; i < 502000; i += 8) wrong.sample.push_back(i);
  }

  template <class Value>
  std::string describe(Value value, std::optional<std::uint8_t> poison = {}) {
    return describe_wrong(
        expected, answer, wrong, poison, [&](Side side, std::span<const std::size_t> indices) {
          std::vector<double> values;
          for (const std::size_t i : indices) {
            REQUIRE(i < answer.count);
            values.push_back(side == Side::answer ? value(i) : 1.0 + static_cast<double>(i));
          }
          looked += values.size();
          return values;
        });
  }
};

}  // namespace

TEST_CASE("a summary and a sample are all that evidence needs") {
  Far far;
  CHECK(far.describe([](std::size_t) { return 0.0; }) ==
        "y[2,1] is 0, expected 2002 (draw 'ramp'). 50.0 % of the elements are wrong, all in rows 2 to 501. "
        "They "
        "are 0.");
  CHECK(far.looked < 3 * kMostSampled);
  CHECK(
      far.describe([](std::size_t i) { return 3 * (1.0 + static_cast<double>(i)); }) ==
      "y[2,1] is 6006, expected 2002 (draw 'ramp'). 50.0 % of the elements are wrong, all in rows 2 to 501. "
      "They are wrong by the constant factor 3.");
}

TEST_CASE("neighbours and exchanged places are looked up beside the sample") {
  Far far;
  far.wrong.sample = {0, 1, 2, 3, 500000, 999996, 999997, 999998, 999999};
  const auto patterns = [&](auto place) {
    return far.describe([&](std::size_t i) { return 1.0 + static_cast<double>(place(i)); });
  };
  // A ramp's neighbours are too close to its own large values to be told apart from them.
  CHECK(patterns([](std::size_t i) { return i % 1000 * 1000 + i / 1000; }).find("transposed") ==
        std::string::npos);  // the corners of the diagonal stay where they are
  far.wrong.sample.clear();
  for (std::size_t i = 1; i < 400; ++i) far.wrong.sample.push_back(i);
  CHECK(patterns([](std::size_t i) { return i + 1; }).find("one element later") != std::string::npos);
  CHECK(patterns([](std::size_t i) { return i - 1; }).find("one element earlier") != std::string::npos);
  CHECK(patterns([](std::size_t i) { return i % 1000 * 1000 + i / 1000; }).find("transposed") !=
        std::string::npos);
}

TEST_CASE("unwritten is what the summary counts") {
  Far far;
  const auto number = [](std::size_t) { return 7.0; };
  far.wrong.unwritten = far.wrong.count;
  CHECK(far.describe(number, std::uint8_t{0xFB}).find("y[2,1] is unwritten, expected 2002") == 0);
  CHECK(far.describe(number).find("y[2,1] is 7") == 0);
  far.wrong.unwritten = far.wrong.count / 2;
  CHECK(far.describe(number, std::uint8_t{0xFB}).find("y[2,1] is 7") == 0);
}

TEST_CASE("a sample is spread evenly and never too large") {
  for (const std::size_t count : {1, 65536, 65537, 131072, 1000003}) {
    const std::size_t stride = sample_stride(count), size = (count + stride - 1) / stride;
    CAPTURE(count, stride);
    CHECK(size <= kMostSampled);
    CHECK((stride == 1 || 2 * size >= kMostSampled - 2));
  }
}

TEST_CASE("wrong elements are summed up by place") {
  std::vector<float> values(100, 1);
  std::memset(&values[42], 0xFB, 8);
  const Elements answer{DType::f32, reinterpret_cast<const std::byte*>(values.data()), 100};
  const Expectation expected{"y", "d", {10, 10}, answer, {}, {}, {}};
  const Wrong wrong = summary_of({17, 42, 43, 85}, 43, expected, answer, std::uint8_t{0xFB});
  CHECK(wrong.count == 4);
  CHECK(wrong.unwritten == 2);
  CHECK(wrong.worst == 43);
  CHECK(std::vector<std::size_t>{wrong.row_low, wrong.row_high, wrong.column_low, wrong.column_high} ==
        std::vector<std::size_t>{1, 8, 2, 7});
  CHECK(wrong.sample == std::vector<std::size_t>{17, 42, 43, 85});
}

TEST_CASE("short rows are joined to tiles of 64 elements, of 16-bit outputs to 1024") {
  CHECK(tiles_of({100, 128}, 12800, DType::f32).length == 128);
  CHECK(tiles_of({100, 128}, 12800, DType::f16).length == 1024);
  CHECK(tiles_of({100, 128}, 12800, DType::bf16).length == 1024);
  CHECK(tiles_of({100, 10}, 1000, DType::f32).length == 70);
  CHECK(tiles_of({100, 300}, 30000, DType::f16).length == 1200);
  CHECK(tiles_of({2, 1500}, 3000, DType::f16).length == 1500);
}

TEST_CASE("tiles cover every element once") {
  const DType dtype = GENERATE(DType::f32, DType::f16);
  for (const std::int64_t row : {1, 7, 63, 64, 65, 1023, 1024, 4096, 4097, 9000}) {
    const auto count = static_cast<std::size_t>(3 * row);
    const Tiles tiles = tiles_of({3, row}, count, dtype);
    std::size_t next = 0;
    for (std::uint64_t t = 0; t < tiles.number; ++t) {
      REQUIRE(tiles.begin(t) == next);
      REQUIRE(tiles.size(t) > 0);
      REQUIRE(tiles.size(t) <= kTileMost);
      next += tiles.size(t);
    }
    CAPTURE(row);
    CHECK(next == count);
  }
  CHECK(tiles_of({}, 1, dtype).number == 1);
  CHECK(tiles_of({0, 5}, 0, dtype).number == 0);
}

}  // namespace kevolve
