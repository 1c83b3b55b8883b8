#include "core/devices/cpu/runner/session.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "core/devices/cpu/runner/fill.hpp"

namespace kevolve::cpu::runner {
namespace {

/// The bits of an argument as the kernel takes it.
template <class T>
std::pair<std::uint64_t, std::size_t> bits(T value) {
  std::uint64_t result = 0;
  std::memcpy(&result, &value, sizeof value);
  return {result, sizeof value};
}

Outcome outcome_of(simt::LaunchStatus::Kind kind) {
  using Kind = simt::LaunchStatus::Kind;
  switch (kind) {
    case Kind::ok:
      return Outcome::passed;
    case Kind::launch_error:
      return Outcome::launch_error;
    case Kind::deadlock:
      return Outcome::deadlock;
    case Kind::trap:
    case Kind::assertion:
      return Outcome::crash;
  }
  return Outcome::crash;
}

}  // namespace

const PlannedLaunch& Session::launch(std::size_t number) const {
  return number < plan_.launches.size() ? plan_.launches[number]
                                        : plan_.prepare[number - plan_.launches.size()];
}

Result<void> Session::load(const std::string& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return failure(std::string("the candidate's binary cannot be loaded: ") + ::dlerror());
  for (std::size_t i = 0; i < plan_.launches.size() + plan_.prepare.size(); ++i) {
    const std::string symbol = "kevolve_entry_" + std::to_string(i);
    const void* entry = ::dlsym(handle, symbol.c_str());
    if (entry == nullptr)
      return failure("the candidate's binary lacks '" + symbol + "', the entry of kernel '" +
                     launch(i).kernel + "'");
    entries_.push_back(entry);
  }
  return {};
}

Result<Session::BoundLaunch> Session::bind_launch(const PlannedLaunch& launch, const BoundSet& set) const {
  BoundLaunch bound;
  std::vector<std::size_t> sizes;
  std::vector<simt::ParameterKind> kinds;
  for (const PlannedArgument& argument : launch.arguments) {
    std::pair<std::uint64_t, std::size_t> value;
    if (const auto* pointer = std::get_if<PlannedPointer>(&argument)) {
      if (pointer->buffer < 0 || pointer->buffer >= static_cast<int>(set.buffers.size()))
        return failure("kernel '" + launch.kernel + "': an argument names buffer " +
                       std::to_string(pointer->buffer) + ", which the plan lacks");
      value = bits(set.buffers[static_cast<std::size_t>(pointer->buffer)]->data());
      kinds.push_back(simt::ParameterKind::pointer);
    } else if (const auto* integer = std::get_if<PlannedInteger>(&argument)) {
      value = integer->dtype == DType::i64 ? bits(integer->value)
                                           : bits(static_cast<std::int32_t>(integer->value));
      kinds.push_back(simt::ParameterKind::integer);
    } else if (const auto* real = std::get_if<PlannedReal>(&argument)) {
      value = real->dtype == DType::f64 ? bits(real->value) : bits(static_cast<float>(real->value));
      kinds.push_back(simt::ParameterKind::floating);
    } else {
      return failure("kernel '" + launch.kernel + "': tensor maps exist on cuda devices only");
    }
    bound.values.push_back(value.first);
    sizes.push_back(value.second);
  }
  for (std::size_t i = 0; i < sizes.size(); ++i)
    bound.arguments.push_back({&bound.values[i], sizes[i], kinds[i]});
  return bound;
}

Result<void> Session::bind(const std::vector<channel::BufferPlace>& places,
                           const std::vector<process::UniqueFd>& descriptors) {
  if (places.size() != plan_.buffers.size() || descriptors.size() != places.size())
    return failure("a set needs " + std::to_string(plan_.buffers.size()) + " buffers; " +
                   std::to_string(places.size()) + " places and " + std::to_string(descriptors.size()) +
                   " descriptors arrived");
  BoundSet set;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto buffer = GuardedBuffer::map(plan_.buffers[i], places[i], descriptors[i].get());
    if (!buffer) return failure(buffer.error());
    set.buffers.push_back(*buffer);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto bound = bind_launch(launch(i), set);
    if (!bound) return failure(bound.error());
    set.launches.push_back(std::move(*bound));
  }
  sets_.push_back(std::move(set));
  return {};
}

Result<Ending> Session::run(const channel::Request& request) {
  if (request.set >= sets_.size()) return failure("run: no set of buffers " + std::to_string(request.set));
  const BoundSet& set = sets_[request.set];
  const bool prepare = request.prepare != 0;
  for (std::size_t i = 0; i < set.buffers.size(); ++i)
    if (plan_.buffers[i].fill != Fill::none && plan_.filled_before_prepare(i) == prepare)
      fill(set.buffers[i]->data(), plan_.buffers[i]);

  const std::size_t begin = prepare ? plan_.launches.size() : 0;
  const std::size_t end = prepare ? entries_.size() : plan_.launches.size();
  for (std::size_t i = begin; i < end; ++i) {
    const PlannedLaunch& planned = launch(i);
    const simt::LaunchStatus status =
        executor_.launch(entries_[i], {.grid = planned.grid,
                                       .block = planned.block,
                                       .dynamic_shared_bytes = planned.shared_bytes,
                                       .cooperative = planned.cooperative,
                                       .arguments = set.launches[i].arguments,
                                       .order = static_cast<simt::Order>(request.order),
                                       .order_seed = request.order_seed});
    if (!status.ok()) {
      const std::string field = (prepare ? "prepare[" : "launches[") + std::to_string(i - begin) + "]";
      return Ending{outcome_of(status.kind), field + " (kernel '" + planned.kernel + "'): " + status.text};
    }
  }
  return Ending{};
}

}  // namespace kevolve::cpu::runner
