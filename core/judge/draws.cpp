#include "core/judge/draws.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/gates/elements.hpp"

namespace kevolve {
namespace {

/// The part of a tensor that one regime fills, and where its random numbers come from.
struct Part {
  DType dtype;
  std::byte* data;
  std::size_t begin, end;
  const RandomStream& random;

  [[nodiscard]] std::size_t count() const { return end - begin; }
  void put(std::size_t index, double value) const { store(dtype, data, index, value); }
};

/// In (0, 1].
double unit(std::uint32_t word) {
  return (static_cast<double>(word) + 1) * 0x1p-32;
}

/// put(i, four words' worth of randomness for element i)
template <class Value>
void fill_each(const Part& part, Value value) {
  for (std::size_t i = part.begin; i < part.end; ++i) part.put(i, value(part.random.block(i)));
}

/// Box-Muller, four normals to a block.
void fill_normal(const Part& part, double mean, double std) {
  constexpr float kTurn = 6.283185307f;
  for (std::size_t i = part.begin; i < part.end; i += 4) {
    const auto words = part.random.block(i);
    for (std::size_t pair = 0; pair < 2; ++pair) {
      const float radius = std::sqrt(-2 * std::log(static_cast<float>(unit(words[2 * pair]))));
      const float angle = kTurn * static_cast<float>(unit(words[2 * pair + 1]));
      const std::size_t at = i + 2 * pair;
      if (at < part.end) part.put(at, mean + std * static_cast<double>(radius * std::cos(angle)));
      if (at + 1 < part.end) part.put(at + 1, mean + std * static_cast<double>(radius * std::sin(angle)));
    }
  }
}

void fill_uniform(const Part& part, double low, double high) {
  fill_each(part, [&](const auto& words) { return low + (high - low) * unit(words[0]); });
}

void fill_mixed_magnitude(const Part& part, double low_exponent, double high_exponent) {
  fill_each(part, [&](const auto& words) {
    const double size = std::exp2(low_exponent + (high_exponent - low_exponent) * unit(words[0]));
    return (words[1] & 1) != 0 ? size : -size;
  });
}

void fill_clustered(const Part& part, double clusters, double spread) {
  fill_normal(part, 0, spread);
  const Elements drawn{part.dtype, part.data, part.end};
  constexpr std::uint64_t kCentres = std::uint64_t{1} << 62, kChoices = std::uint64_t{1} << 61;
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const std::uint64_t cluster = part.random.pick(kChoices + i, static_cast<std::uint64_t>(clusters));
    part.put(i, drawn.at(i) + 8 * unit(part.random.block(kCentres + cluster)[0]) - 4);
  }
}

/// Puts `count` copies of each value at random places.
void sprinkle(const Part& part, std::span<const double> values, double count) {
  constexpr std::uint64_t kPlaces = std::uint64_t{1} << 63;
  std::uint64_t placed = 0;
  for (const double value : values) {
    for (int i = 0; i < static_cast<int>(count); ++i) {
      part.put(part.begin + part.random.pick(kPlaces + placed++, part.count()), value);
    }
  }
}

void fill_special_values(const Part& part, double count) {
  fill_normal(part, 0, 1);
  const double step = least_step(part.dtype);
  const double infinity = std::numeric_limits<double>::infinity();
  const double values[] = {
      std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, 0.0, -0.0, 3 * step, -step};
  sprinkle(part, values, count);
}

void fill_mixture(const Part& part) {
  constexpr std::uint64_t kSegments = std::uint64_t{1} << 60;
  const std::size_t usual = std::clamp<std::size_t>(part.count() / 16, 48, 4099);
  std::uint64_t segment = 0;
  for (std::size_t begin = part.begin; begin < part.end; ++segment) {
    const auto words = part.random.block(kSegments + segment);
    const std::size_t length = usual / 2 + words[0] % usual;
    const Part piece{part.dtype, part.data, begin, std::min(part.end, begin + length), part.random};
    switch (words[1] % 5) {
      case 0:
        fill_normal(piece, 0, 1);
        break;
      case 1:
        fill_uniform(piece, 0, 1);
        break;
      case 2:
        fill_normal(piece, (words[2] & 1) != 0 ? 20 : -20, 0.01);
        break;
      case 3:
        fill_normal(piece, 0, 1e-6);
        break;
      default:
        fill_mixed_magnitude(piece, -10, 4);
        break;
    }
    begin = piece.end;
  }
}

/// A kind, its parameters with defaults (NaN: required), and how it fills. Parameters arrive in this order.
struct Kind {
  std::string_view name;
  std::vector<std::pair<std::string, double>> parameters;
  void (*fill)(const Part&, std::span<const double>);
};

const std::vector<Kind>& kinds() {
  constexpr double kRequired = std::numeric_limits<double>::quiet_NaN();
  using P = std::span<const double>;
  static const std::vector<Kind> all{
      {"normal", {{"mean", 0}, {"std", 1}}, [](const Part& t, P p) { fill_normal(t, p[0], p[1]); }},
      {"uniform", {{"low", 0}, {"high", 1}}, [](const Part& t, P p) { fill_uniform(t, p[0], p[1]); }},
      {"constant",
       {{"value", kRequired}},
       [](const Part& t, P p) {
         for (std::size_t i = 0; i < t.end; ++i) t.put(i, p[0]);
       }},
      {"impulse",
       {{"value", 1}, {"count", 1}},
       [](const Part& t, P p) {
         for (std::size_t i = 0; i < t.end; ++i) t.put(i, 0);
         sprinkle(t, p.first(1), p[1]);
       }},
      {"mixed_magnitude",
       {{"low_exponent", -10}, {"high_exponent", 10}},
       [](const Part& t, P p) { fill_mixed_magnitude(t, p[0], p[1]); }},
      {"integers",
       {{"low", kRequired}, {"high", kRequired}},
       [](const Part& t, P p) {
         const auto span = static_cast<std::uint64_t>(p[1] - p[0]) + 1;
         fill_each(t, [&](const auto& w) {
           return p[0] + static_cast<double>((static_cast<std::uint64_t>(w[0]) << 32 | w[1]) % span);
         });
       }},
      {"special_values", {{"count", 1}}, [](const Part& t, P p) { fill_special_values(t, p[0]); }},
      {"ramp",
       {{"low", 0}, {"high", 1}},
       [](const Part& t, P p) {
         const double step = t.end > 1 ? (p[1] - p[0]) / static_cast<double>(t.end - 1) : 0;
         for (std::size_t i = 0; i < t.end; ++i) t.put(i, p[0] + step * static_cast<double>(i));
       }},
      {"clustered",
       {{"clusters", 4}, {"spread", 0.01}},
       [](const Part& t, P p) { fill_clustered(t, p[0], p[1]); }},
      {"mixture", {}, [](const Part& t, P) { fill_mixture(t); }}};
  return all;
}

Result<std::vector<double>> parameters_of(const Kind& kind, const InputDraw& draw) {
  std::vector<double> values;
  for (const auto& [name, fallback] : kind.parameters) {
    const auto given = draw.parameters.find(name);
    values.push_back(given == draw.parameters.end() ? fallback : given->second);
    if (std::isnan(values.back())) {
      return failure(fmt::format("draw kind '{}' needs the parameter '{}'", kind.name, name));
    }
  }
  for (const auto& [name, value] : draw.parameters) {
    const auto known = [&](const auto& parameter) { return parameter.first == name; };
    if (std::any_of(kind.parameters.begin(), kind.parameters.end(), known)) continue;
    std::vector<std::string> names;
    for (const auto& parameter : kind.parameters) names.push_back(parameter.first);
    return failure(fmt::format("draw kind '{}' has no parameter '{}'; it has {}", kind.name, name,
                               names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  return values;
}

}  // namespace

Result<void> draw_tensor(const InputDraw& draw, DType dtype, std::span<std::byte> out, const Seed& seed,
                         std::uint64_t stream) {
  const auto& all = kinds();
  const auto kind = std::find_if(all.begin(), all.end(), [&](const Kind& k) { return k.name == draw.kind; });
  if (kind == all.end()) {
    std::vector<std::string_view> names;
    for (const Kind& known : all) names.push_back(known.name);
    return failure(fmt::format("unknown draw kind '{}'; known are {}", draw.kind, fmt::join(names, ", ")));
  }
  if (kind->name == "special_values" && !is_floating(dtype)) {
    return failure(fmt::format(
        "draw kind 'special_values' needs a floating-point tensor, not {}; use 'integers'", name(dtype)));
  }
  const auto parameters = parameters_of(*kind, draw);
  if (!parameters) return failure(parameters.error());
  const RandomStream random(seed, stream);
  kind->fill(Part{dtype, out.data(), 0, out.size() / size_bytes(dtype), random}, *parameters);
  return {};
}

Result<std::vector<Bytes>> draw_inputs(const Operator& op, const Bindings& axes,
                                       const Distribution& distribution, const Seed& seed,
                                       std::uint64_t number) {
  std::vector<Bytes> inputs;
  for (const TensorSpec& input : op.inputs) {
    const auto shape = shape_at(input, axes);
    if (!shape) return failure(shape.error());
    std::size_t count = 1;
    for (const std::int64_t extent : *shape) count *= static_cast<std::size_t>(extent);
    auto draw = distribution.draws.find(input.name);
    if (draw == distribution.draws.end()) draw = distribution.draws.find("*");
    if (draw == distribution.draws.end()) {
      return failure(
          fmt::format("distribution '{}' does not say how to draw input '{}' and has no \"*\" entry",
                      distribution.name, input.name));
    }
    Bytes bytes(count * size_bytes(input.dtype));
    const auto filled = draw_tensor(draw->second, input.dtype, bytes, seed, (number << 16) + inputs.size());
    if (!filled) {
      return failure(
          filled.error().in(fmt::format("distribution '{}', input '{}'", distribution.name, input.name)));
    }
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

}  // namespace kevolve
