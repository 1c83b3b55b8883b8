#pragma once
// DrawPlan: how one input tensor is filled, as data: a few segments of one regime each, and single values put
// over them. Made on the host; filled where the tensor lies, every element by itself (draw_value.hpp).
//
// kDrawKinds is the list of all kinds. Prompts take their words from it, and a test holds the schema of
// operators and docs/operator_authoring.md against it. A new kind is a row here and its plan in
// draw_plan.cpp.
//
// Pure functions of seed and stream; thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/gates/draw_value.hpp"
#include "core/gates/seed.hpp"
#include "core/model/operator.hpp"

namespace kevolve::gates {

struct DrawParameter {
  std::string_view name;
  double fallback = std::numeric_limits<double>::quiet_NaN();  ///< NaN: the parameter is required

  [[nodiscard]] constexpr bool required() const { return fallback != fallback; }
};

struct DrawKind {
  std::string_view name;
  std::array<DrawParameter, 2> parameters;  ///< those that it has come first; the others have no name
  std::string_view meaning;                 ///< for authors of kernels; "": the name says it all
};

inline constexpr std::array kDrawKinds = {
    DrawKind{"normal", {{{"mean", 0}, {"std", 1}}}, ""},
    DrawKind{"uniform", {{{"low", 0}, {"high", 1}}}, ""},
    DrawKind{"constant", {{{"value"}}}, "all elements the same"},
    DrawKind{"impulse",
             {{{"value", 1}, {"count", 1}}},
             "zeros but for `count` places: every element must be read"},
    DrawKind{"mixed_magnitude",
             {{{"low_exponent", -10}, {"high_exponent", 10}}},
             "± 2^e with e uniform in the range: small terms must not be lost"},
    DrawKind{"integers", {{{"low"}, {"high"}}}, ""},
    DrawKind{"special_values",
             {{{"count", 1}}},
             "`count` each of NaN, ±Inf, ±0 and denormals among normal values"},
    DrawKind{"ramp", {{{"low", 0}, {"high", 1}}}, "every position has its own value: wrong indices show"},
    DrawKind{"clustered", {{{"clusters", 4}, {"spread", 0.01}}}, "many near ties"},
    DrawKind{
        "mixture",
        {},
        "segments of normal, uniform, large mean with small spread, tiny and mixed magnitude in one tensor"},
};
const DrawKind* draw_kind(std::string_view name);  ///< nullptr when there is none

struct DrawPlan {
  std::size_t count = 0;              ///< elements of the tensor
  std::vector<DrawSegment> segments;  ///< ascending, the first at 0; none when count is 0
  std::vector<DrawSingle> singles;    ///< ascending, each index once
  Randomness random;
};

/// Fails on an unknown kind or parameter, naming the known ones.
Result<DrawPlan> plan_draw(const InputDraw& draw, DType dtype, std::size_t count, const Seed& seed,
                           std::uint64_t stream);

/// On the host. `out` holds plan.count elements.
void fill(const DrawPlan& plan, DType dtype, std::span<std::byte> out);

}  // namespace kevolve::gates
