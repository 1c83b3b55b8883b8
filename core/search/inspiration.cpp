#include "core/search/inspiration.hpp"

#include <algorithm>

#include "core/search/regime.hpp"

namespace kevolve::search {
namespace {

constexpr double kAlike = 8;  // times as many operations for each byte

bool kindred(const Inspiration& other, Regime regime, double operations_per_byte) {
  if (regime != Regime::unknown && other.regime != Regime::unknown && suits(name(other.regime), regime))
    return true;
  if (operations_per_byte <= 0 || other.operations_per_byte <= 0) return false;
  const double ratio = other.operations_per_byte / operations_per_byte;
  return ratio <= kAlike && ratio >= 1 / kAlike;
}

}  // namespace

double operations_per_byte(const Operator& op, const Bindings& axes) {
  const auto bytes = static_cast<double>(op.bytes.evaluate(axes).value_or(0));
  const auto operations = static_cast<double>(op.flops.evaluate(axes).value_or(0));
  return bytes > 0 && operations > 0 ? operations / bytes : 0;
}

std::vector<Inspiration> kindred_first(std::vector<Inspiration> all, Regime regime,
                                       double operations_per_byte, std::size_t count) {
  std::stable_partition(all.begin(), all.end(), [&](const Inspiration& other) {
    return kindred(other, regime, operations_per_byte);
  });
  if (all.size() > count) all.resize(count);
  return all;
}

}  // namespace kevolve::search
