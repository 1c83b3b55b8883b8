#pragma once
// A time as a model writes it. Pure.

#include <string>
#include <string_view>

#include "core/text/result.hpp"

namespace kevolve::llm {

/// Microseconds of "120", "~120 us", "0.2 ms", "1,200 µs", "100-140 us" (its middle). A number without a unit
/// is in `unit` ("us", "ms", …). Fails on what is no positive time ("1.5x", "20 % faster"), with a sentence's
/// part: "\"1.5x\" is not a time in microseconds".
Result<double> predicted_time_us(std::string_view text, std::string_view unit = "us");

}  // namespace kevolve::llm
