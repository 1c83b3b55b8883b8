#include "core/devices/cpu/simt/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/devices/cpu/simt/block.hpp"

namespace kevolve::simt {
namespace {

constexpr std::size_t kPlacesNamed = 6;

std::string barrier_name(const Fiber& fiber) {
  switch (fiber.wait) {
    case Wait::block_barrier:
      return "__syncthreads()";
    case Wait::warp_collective:
      return fmt::format("{} with mask {:#010x}", name(fiber.operation), fiber.mask);
    case Wait::grid_barrier:
      return "the grid-wide sync()";
    case Wait::convergence:
      return "__activemask()";
    case Wait::nothing:
      break;
  }
  return "nothing (still running)";
}

ThreadPlace place_of(const Fiber& fiber) {
  return {fiber.block->index, {fiber.thread.x, fiber.thread.y, fiber.thread.z}};
}

}  // namespace

std::string describe(const std::array<std::uint32_t, 3>& index) {
  return fmt::format("({}, {}, {})", index[0], index[1], index[2]);
}

std::string describe(const ThreadPlace& place) {
  return "block " + describe(place.block) + ", thread " + describe(place.thread);
}

std::string_view name(WarpOperation operation) {
  switch (operation) {
    case WarpOperation::sync:
      return "__syncwarp";
    case WarpOperation::shuffle:
      return "__shfl_*_sync";
    case WarpOperation::ballot:
      return "__ballot/any/all_sync";
    case WarpOperation::match_any:
      return "__match_any_sync";
    case WarpOperation::match_all:
      return "__match_all_sync";
    default:
      return "__reduce_*_sync";
  }
}

LaunchStatus describe_deadlock(const std::vector<const Fiber*>& waiting) {
  struct Place {
    const Fiber* first;
    std::size_t threads;
  };
  std::map<std::tuple<std::array<std::uint32_t, 3>, std::uint32_t, std::string>, Place> places;
  for (const Fiber* fiber : waiting) {
    // Warp-wide places are told apart by warp, block-wide ones are not.
    const std::uint32_t warp = fiber->wait == Wait::warp_collective ? fiber->thread.rank / 32 : 0;
    auto [found, fresh] =
        places.try_emplace({fiber->block->index, warp, barrier_name(*fiber)}, Place{fiber, 0});
    ++found->second.threads;
    if (fiber->thread.rank < found->second.first->thread.rank) found->second.first = fiber;
  }
  std::string text = "Deadlock: no thread can go on.";
  std::size_t named = 0;
  for (const auto& [key, place] : places) {
    if (named++ == kPlacesNamed) {
      text += fmt::format(" {} more places are waited at.", places.size() - kPlacesNamed);
      break;
    }
    const ThreadPlace first = place_of(*place.first);
    text += fmt::format(" In block {}, {} thread{} wait{} at {} (first: thread {}).", describe(first.block),
                        place.threads, place.threads == 1 ? "" : "s", place.threads == 1 ? "s" : "",
                        std::get<std::string>(key), describe(first.thread));
  }
  text +=
      " Every thread that has not exited must reach the same barrier, and all lanes of a mask the same "
      "collective.";
  return {LaunchStatus::Kind::deadlock, text, place_of(*places.begin()->second.first)};
}

}  // namespace kevolve::simt
