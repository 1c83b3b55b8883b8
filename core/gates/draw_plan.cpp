#include "core/gates/draw_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/gates/elements.hpp"

namespace kevolve::gates {
namespace {

using Parameters = std::span<const double>;

void one_segment(DrawPlan& plan, DrawRegime regime, double a, double b = 0) {
  if (plan.count > 0) plan.segments.push_back({0, regime, a, b});
}

/// Puts `count` copies of each value at random places; where two meet, the later one stays.
void sprinkle(DrawPlan& plan, std::span<const double> values, double count) {
  if (plan.count == 0) return;
  std::uint64_t placed = 0;
  for (const double value : values) {
    for (int i = 0; i < static_cast<int>(count); ++i)
      plan.singles.push_back({plan.random.pick(kPlaceBlocks + placed++, plan.count), value});
  }
  auto& singles = plan.singles;
  std::reverse(singles.begin(), singles.end());
  std::stable_sort(singles.begin(), singles.end(),
                   [](const DrawSingle& a, const DrawSingle& b) { return a.index < b.index; });
  const auto same = [](const DrawSingle& a, const DrawSingle& b) { return a.index == b.index; };
  singles.erase(std::unique(singles.begin(), singles.end(), same), singles.end());
}

void plan_special_values(DrawPlan& plan, DType dtype, double count) {
  one_segment(plan, DrawRegime::normal, 0, 1);
  const double step = least_step(dtype);
  const double infinity = std::numeric_limits<double>::infinity();
  const double values[] = {
      std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, 0.0, -0.0, 3 * step, -step};
  sprinkle(plan, values, count);
}

DrawSegment mixture_segment(std::size_t begin, const RandomWords& words) {
  switch (words.word[1] % 5) {
    case 0:
      return {begin, DrawRegime::normal, 0, 1};
    case 1:
      return {begin, DrawRegime::uniform, 0, 1};
    case 2:
      return {begin, DrawRegime::normal, (words.word[2] & 1) != 0 ? 20.0 : -20.0, 0.01};
    case 3:
      return {begin, DrawRegime::normal, 0, 1e-6};
    default:
      return {begin, DrawRegime::mixed_magnitude, -10, 4};
  }
}

void plan_mixture(DrawPlan& plan) {
  const std::size_t usual = std::clamp<std::size_t>(plan.count / 16, 48, 4099);
  for (std::size_t begin = 0; begin < plan.count;) {
    const RandomWords words = plan.random.block(kSegmentBlocks + plan.segments.size());
    plan.segments.push_back(mixture_segment(begin, words));
    begin += usual / 2 + words.word[0] % usual;
  }
}

void plan_ramp(DrawPlan& plan, double low, double high) {
  one_segment(plan, DrawRegime::ramp, low,
              plan.count > 1 ? (high - low) / static_cast<double>(plan.count - 1) : 0);
}

using Planner = void (*)(DrawPlan&, DType, Parameters);

/// Of kDrawKinds[kind]. Parameters arrive in the order of the table.
Planner planner_of(std::size_t kind) {
  using P = Parameters;
  using R = DrawRegime;
  static constexpr std::array<Planner, kDrawKinds.size()> kPlanners = {
      /* normal */ [](DrawPlan& t, DType, P p) { one_segment(t, R::normal, p[0], p[1]); },
      /* uniform */ [](DrawPlan& t, DType, P p) { one_segment(t, R::uniform, p[0], p[1]); },
      /* constant */ [](DrawPlan& t, DType, P p) { one_segment(t, R::constant, p[0]); },
      /* impulse */
      [](DrawPlan& t, DType, P p) {
        one_segment(t, R::constant, 0);
        sprinkle(t, p.first(1), p[1]);
      },
      /* mixed_magnitude */ [](DrawPlan& t, DType, P p) { one_segment(t, R::mixed_magnitude, p[0], p[1]); },
      /* integers */ [](DrawPlan& t, DType, P p) { one_segment(t, R::integers, p[0], p[1]); },
      /* special_values */ [](DrawPlan& t, DType d, P p) { plan_special_values(t, d, p[0]); },
      /* ramp */ [](DrawPlan& t, DType, P p) { plan_ramp(t, p[0], p[1]); },
      /* clustered */ [](DrawPlan& t, DType, P p) { one_segment(t, R::clustered, p[0], p[1]); },
      /* mixture */ [](DrawPlan& t, DType, P) { plan_mixture(t); },
  };
  return kPlanners[kind];
}

/// As drawn_value() draws each, but with one block of words for its four normals.
void fill_normals(const DrawSegment& segment, std::size_t end, const DrawPlan& plan, DType dtype,
                  std::byte* to) {
  for (std::size_t block = segment.begin; block < end; block += 4) {
    const RandomWords words = plan.random.block(block);
    for (std::size_t i = block; i < std::min(block + 4, end); ++i)
      store(dtype, to, i, segment.a + segment.b * normal_of(words, i - block));
  }
}

Result<std::vector<double>> parameters_of(const DrawKind& kind, const InputDraw& draw) {
  std::vector<double> values;
  std::vector<std::string_view> names;
  for (const DrawParameter& parameter : kind.parameters) {
    if (parameter.name.empty()) break;
    names.push_back(parameter.name);
    const auto given = draw.parameters.find(std::string(parameter.name));
    values.push_back(given == draw.parameters.end() ? parameter.fallback : given->second);
    if (std::isnan(values.back()))
      return failure(fmt::format("draw kind '{}' needs the parameter '{}'", kind.name, parameter.name));
  }
  for (const auto& [name, value] : draw.parameters) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return failure(fmt::format("draw kind '{}' has no parameter '{}'; it has {}", kind.name, name,
                               names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  return values;
}

}  // namespace

const DrawKind* draw_kind(std::string_view name) {
  const auto found = std::find_if(kDrawKinds.begin(), kDrawKinds.end(),
                                  [&](const DrawKind& kind) { return kind.name == name; });
  return found == kDrawKinds.end() ? nullptr : &*found;
}

Result<DrawPlan> plan_draw(const InputDraw& draw, DType dtype, std::size_t count, const Seed& seed,
                           std::uint64_t stream) {
  const DrawKind* kind = draw_kind(draw.kind);
  if (kind == nullptr) {
    std::vector<std::string_view> names;
    for (const DrawKind& known : kDrawKinds) names.push_back(known.name);
    return failure(fmt::format("unknown draw kind '{}'; known are {}", draw.kind, fmt::join(names, ", ")));
  }
  if (kind->name == "special_values" && !is_floating(dtype)) {
    return failure(fmt::format(
        "draw kind 'special_values' needs a floating-point tensor, not {}; use 'integers'", name(dtype)));
  }
  TRY(const auto parameters, parameters_of(*kind, draw));
  DrawPlan plan;
  plan.count = count;
  plan.random = RandomStream(seed, stream).randomness();
  planner_of(static_cast<std::size_t>(kind - kDrawKinds.data()))(plan, dtype, parameters);
  return plan;
}

void fill(const DrawPlan& plan, DType dtype, std::span<std::byte> out) {
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    const std::size_t end = s + 1 < plan.segments.size() ? plan.segments[s + 1].begin : plan.count;
    if (plan.segments[s].regime == DrawRegime::normal) {
      fill_normals(plan.segments[s], end, plan, dtype, out.data());
      continue;
    }
    for (std::size_t i = plan.segments[s].begin; i < end; ++i)
      store(dtype, out.data(), i, drawn_value(plan.segments[s], i, plan.random));
  }
  for (const DrawSingle& single : plan.singles) store(dtype, out.data(), single.index, single.value);
}

}  // namespace kevolve::gates
