#include "llm_client/replies/predicted_time.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

TEST_CASE("times with and without units") {
  const auto us = [](const std::string& text) {
    INFO(text);
    const auto time = predicted_time_us(text);
    if (!time) FAIL(time.error().message);
    return *time;
  };
  CHECK(us("120") == 120);
  CHECK(us("1.5e2") == 150);
  CHECK(us(" 120.5 us ") == 120.5);
  CHECK(us("120µs") == 120);
  CHECK(us("120 μs") == 120);
  CHECK(us("0.2 ms") == Approx(200));
  CHECK(us("1.5e-4 s") == Approx(150));
  CHECK(us("2500 ns") == Approx(2.5));
  CHECK(us("1,200 us") == 1200);
  CHECK(us("about 120 microseconds") == 120);
  CHECK(us("≈120 us (1.4x faster)") == 120);
  CHECK(us("<= 120us") == 120);
  CHECK(us("100-140 us") == 120);
  CHECK(us("100 us to 140 us") == 120);
  CHECK(us("100 – 140") == 120);
}

TEST_CASE("what is no time") {
  for (const std::string text : {"", "fast", "1.5x", "2 times", "20 %", "-5", "0", "inf", "nan", "1e400",
                                 "12 monkeys", "5 to", "1.2.3", "1e30"}) {
    INFO(text);
    CHECK_FALSE(predicted_time_us(text));
  }
  CHECK(predicted_time_us("1.5x").error().message == "\"1.5x\" is not a time in microseconds");
}
