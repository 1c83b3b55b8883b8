#include "core/devices/cuda/runner/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/devices/cuda/activity.hpp"
#include "core/devices/cuda/profiler.hpp"
#include "core/devices/cuda/runner/fill_pattern.hpp"
#include "core/devices/cuda/runner/tensor_map.hpp"
#include "core/gates/profile.hpp"

namespace kevolve::cuda::runner {
namespace {

constexpr int kWitnessedRuns = 5;
constexpr std::uint32_t kScrub = 0xFBFBFBFB;  // a large negative number, whatever the type

template <class T>
std::uint64_t bits(T value) {
  std::uint64_t result = 0;
  std::memcpy(&result, &value, sizeof value);
  return result;
}

std::size_t argument_bytes(const PlannedArgument& argument) {
  if (const auto* integer = std::get_if<PlannedInteger>(&argument))
    return integer->dtype == DType::i64 ? 8 : 4;
  if (const auto* real = std::get_if<PlannedReal>(&argument)) return real->dtype == DType::f64 ? 8 : 4;
  return std::holds_alternative<PlannedPointer>(argument) ? sizeof(CUdeviceptr) : sizeof(CUtensorMap);
}

std::string names(const std::vector<PlannedLaunch>& launches) {
  std::vector<std::string> all;
  for (const PlannedLaunch& launch : launches) {
    const std::string quoted = "'" + launch.kernel + "'";
    if (std::find(all.begin(), all.end(), quoted) == all.end()) all.push_back(quoted);
  }
  if (all.size() == 1) return "kernel " + all.front();
  return fmt::format("one of the kernels {}", fmt::join(all, ", "));
}

}  // namespace

Result<void> Session::bind(const std::vector<channel::BufferPlace>& places,
                           const std::vector<process::UniqueFd>& descriptors) {
  if (places.size() != plan_.buffers.size() || descriptors.size() != places.size())
    return failure(fmt::format("a set needs {} buffers; {} places and {} descriptors arrived",
                               plan_.buffers.size(), places.size(), descriptors.size()));
  BoundSet set;
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto buffer = MappedBuffer::map(driver_, context_.device(), places[i], descriptors[i].get(),
                                    plan_.buffers[i].role != BufferRole::input);
    if (!buffer) return failure(buffer.error().in(fmt::format("buffer '{}'", plan_.buffers[i].name)));
    set.buffers.push_back(std::move(*buffer));
  }
  for (const bool prepare : {false, true}) {
    const auto& planned = prepare ? plan_.prepare : plan_.launches;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      auto bound = bind_launch(planned[i], set, fmt::format("{}[{}]", prepare ? "prepare" : "launches", i));
      if (!bound) return failure(bound.error());
      (prepare ? set.prepare : set.launches).push_back(std::move(*bound));
    }
  }
  sets_.push_back(std::move(set));
  return {};
}

Result<Session::BoundLaunch> Session::bind_launch(const PlannedLaunch& launch, const BoundSet& set,
                                                  const std::string& field) {
  BoundLaunch bound;
  bound.kernel = candidate_.kernel(launch.kernel, launch.max_registers);
  if (bound.kernel == nullptr)
    return failure(fmt::format("{}: the binary has no kernel '{}'", field, launch.kernel));
  for (const PlannedArgument& argument : launch.arguments) {
    Value value{};
    if (const auto* pointer = std::get_if<PlannedPointer>(&argument)) {
      value.bits = set.buffers.at(static_cast<std::size_t>(pointer->buffer)).data();
    } else if (const auto* integer = std::get_if<PlannedInteger>(&argument)) {
      value.bits = integer->dtype == DType::i64 ? bits(integer->value)
                                                : bits(static_cast<std::int32_t>(integer->value));
    } else if (const auto* real = std::get_if<PlannedReal>(&argument)) {
      value.bits = real->dtype == DType::f64 ? bits(real->value) : bits(static_cast<float>(real->value));
    } else {
      const auto& map = std::get<PlannedTensorMap>(argument);
      const auto encoded = encode(driver_, map, set.buffers.at(static_cast<std::size_t>(map.buffer)).data());
      if (encoded)
        value.map = *encoded;
      else if (refusal_.empty())
        refusal_ = fmt::format("{} (kernel '{}'): {}.", field, launch.kernel, encoded.error().message);
    }
    bound.values.push_back(value);
  }
  for (Value& value : bound.values) bound.arguments.push_back(&value);
  if (sets_.empty()) admit(launch, bound.kernel, field);
  return bound;
}

/// The driver takes a kernel's arguments without asking how many there are.
std::string Session::wrong_arguments(const PlannedLaunch& launch, CUfunction kernel) const {
  std::vector<std::size_t> taken;
  std::size_t offset = 0, bytes = 0;
  while (driver_.cuFuncGetParamInfo_(kernel, taken.size(), &offset, &bytes) == CUDA_SUCCESS)
    taken.push_back(bytes);
  if (taken.size() != launch.arguments.size())
    return fmt::format("{} arguments are given, but the kernel takes {}.", launch.arguments.size(),
                       taken.size());
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const std::size_t given = argument_bytes(launch.arguments[i]);
    if (given != taken[i])
      return fmt::format("args[{}] has {} bytes, but the kernel's parameter has {}.", i, given, taken[i]);
  }
  return {};
}

void Session::admit(const PlannedLaunch& launch, CUfunction kernel, const std::string& field) {
  const auto refuse = [&](const std::string& why) {
    if (refusal_.empty()) refusal_ = fmt::format("{} (kernel '{}'): {}", field, launch.kernel, why);
  };
  if (const std::string wrong = wrong_arguments(launch, kernel); !wrong.empty()) refuse(wrong);
  const auto threads = static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2]);
  int most = 0;
  driver_.cuFuncGetAttribute_(&most, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel);
  if (threads > most)
    refuse(fmt::format(
        "a block of {} threads, but with its registers this kernel can have at most {}. Use smaller "
        "blocks, __launch_bounds__, or max_registers.",
        threads, most));
  int fixed = 0;
  driver_.cuFuncGetAttribute_(&fixed, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel);
  if (launch.shared_bytes > 0) {
    const CUresult raised = driver_.cuFuncSetAttribute_(
        kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, static_cast<int>(launch.shared_bytes));
    if (raised != CUDA_SUCCESS)
      refuse(fmt::format("{} bytes of dynamic shared memory beside {} static ones: {}.", launch.shared_bytes,
                         fixed, driver_.words(raised)));
  }
  if (launch.cluster[0] * launch.cluster[1] * launch.cluster[2] > 8)
    driver_.cuFuncSetAttribute_(kernel, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1);
  if (!launch.cooperative) return;
  int each = 0;
  driver_.cuOccupancyMaxActiveBlocksPerMultiprocessor_(&each, kernel, threads,
                                                       static_cast<std::size_t>(launch.shared_bytes));
  const std::int64_t room = std::int64_t{each} * context_.attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  const std::int64_t blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
  if (blocks > room)
    refuse(fmt::format(
        "a cooperative grid of {} blocks cannot be resident at once: {} fit ({} to an SM). Use fewer "
        "or smaller blocks.",
        blocks, room, each));
}

CUresult Session::fill(const PlannedBuffer& planned, CUdeviceptr data) const {
  const FillPattern pattern = fill_pattern(planned.dtype, planned.fill);
  const auto elements = static_cast<std::size_t>(planned.elements);
  switch (pattern.width_bytes) {
    case 1:
      return driver_.cuMemsetD8Async_(data, static_cast<unsigned char>(pattern.low), elements,
                                      context_.stream());
    case 2:
      return driver_.cuMemsetD16Async_(data, static_cast<unsigned short>(pattern.low), elements,
                                       context_.stream());
    case 4:
      return driver_.cuMemsetD32Async_(data, pattern.low, elements, context_.stream());
    default: {  // 8: the low words, then the high ones
      const CUresult low = driver_.cuMemsetD2D32Async_(data, 8, pattern.low, 1, elements, context_.stream());
      return low != CUDA_SUCCESS
                 ? low
                 : driver_.cuMemsetD2D32Async_(data + 4, 8, pattern.high, 1, elements, context_.stream());
    }
  }
}

/// Queues the fills that belong before `prepare`, or those that belong before the launches.
Result<void> Session::fill_all(const BoundSet& set, bool before_prepare) const {
  for (std::size_t i = 0; i < set.buffers.size(); ++i) {
    if (plan_.buffers[i].fill == Fill::none || plan_.filled_before_prepare(i) != before_prepare) continue;
    auto done = driver_.check(fill(plan_.buffers[i], set.buffers[i].data()), "filling a buffer");
    if (!done) return done;
  }
  return {};
}

CUresult Session::launch(const PlannedLaunch& planned, BoundLaunch& bound) const {
  std::array<CUlaunchAttribute, 2> attributes{};
  CUlaunchConfig config{};
  config.gridDimX = static_cast<unsigned>(planned.grid[0]);
  config.gridDimY = static_cast<unsigned>(planned.grid[1]);
  config.gridDimZ = static_cast<unsigned>(planned.grid[2]);
  config.blockDimX = static_cast<unsigned>(planned.block[0]);
  config.blockDimY = static_cast<unsigned>(planned.block[1]);
  config.blockDimZ = static_cast<unsigned>(planned.block[2]);
  config.sharedMemBytes = static_cast<unsigned>(planned.shared_bytes);
  config.hStream = context_.stream();
  config.attrs = attributes.data();
  if (planned.cluster[0] * planned.cluster[1] * planned.cluster[2] > 1) {
    CUlaunchAttribute& cluster = attributes[config.numAttrs++];
    cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    cluster.value.clusterDim = {static_cast<unsigned>(planned.cluster[0]),
                                static_cast<unsigned>(planned.cluster[1]),
                                static_cast<unsigned>(planned.cluster[2])};
  }
  if (planned.cooperative) {
    CUlaunchAttribute& cooperative = attributes[config.numAttrs++];
    cooperative.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
    cooperative.value.cooperative = 1;
  }
  return driver_.cuLaunchKernelEx_(&config, bound.kernel, bound.arguments.data(), nullptr);
}

std::optional<Result<Ending>> Session::rehearse(std::uint32_t number) {
  if (number >= sets_.size()) return failure(fmt::format("run: no set of buffers {} to rehearse on", number));
  BoundSet& set = sets_[number];
  if (auto done = fill_all(set, false); !done) return failure(done.error());
  for (std::size_t i = 0; i < plan_.launches.size(); ++i) {
    if (const CUresult result = launch(plan_.launches[i], set.launches[i]); result != CUDA_SUCCESS)
      return refused(result, plan_.launches[i], fmt::format("launches[{}]", i));
  }
  return std::nullopt;
}

Result<Ending> Session::run(const channel::Request& request) {
  if (request.set >= sets_.size()) return failure(fmt::format("run: no set of buffers {}", request.set));
  if (!refusal_.empty()) return Ending{Outcome::launch_error, refusal_, 0};
  BoundSet& set = sets_[request.set];
  const bool prepare = request.prepare != 0;
  const auto& planned = prepare ? plan_.prepare : plan_.launches;
  auto& bound = prepare ? set.prepare : set.launches;
  const auto ours = [&](CUresult result, std::string_view what) { return driver_.check(result, what); };

  if (request.rehearsal != channel::kNoSet) {
    if (auto fault = rehearse(request.rehearsal)) return std::move(*fault);
  }
  if (auto done = ours(context_.scrub_shared(kScrub), "scrubbing shared memory"); !done)
    return failure(done.error());
  if (request.timed != 0) {
    if (auto done = ours(context_.flush_l2(), "flushing caches"); !done) return failure(done.error());
  }
  if (auto done = ours(context_.mark_begin(request.timed != 0), "recording an event"); !done)
    return failure(done.error());
  if (auto done = fill_all(set, prepare); !done) return failure(done.error());
  for (std::size_t i = 0; i < planned.size(); ++i) {
    // Nothing may be handed on in shared memory from one launch to the next, either.
    if (i > 0 && request.timed == 0) context_.scrub_shared(kScrub);
    if (const CUresult result = launch(planned[i], bound[i]); result != CUDA_SUCCESS)
      return refused(result, planned[i], fmt::format("{}[{}]", prepare ? "prepare" : "launches", i));
  }
  context_.mark_end(request.timed != 0);
  if (const CUresult result = driver_.cuStreamSynchronize_(context_.stream()); result != CUDA_SUCCESS)
    return faulted(result, planned);
  if (!candidate_.tables_intact())
    return Ending{
        Outcome::illegal_access,
        fmt::format("{} wrote to a table of CUDA's mathematics (__cudart_…), which outlives a launch. "
                    "Keep intermediate values in `scratch` or __shared__ memory.",
                    names(planned)),
        0};
  return Ending{Outcome::passed, "", context_.elapsed_us(), request.timed != 0 ? context_.sm_mhz() : 0};
}

Result<void> Session::prepare_pass(const BoundSet& set) const {
  if (auto done = driver_.check(context_.flush_l2(), "flushing caches"); !done) return done;
  if (auto done = fill_all(set, false); !done) return done;
  return driver_.check(driver_.cuStreamSynchronize_(context_.stream()), "preparing a pass");
}

Result<void> Session::launch_all(BoundSet& set) const {
  for (std::size_t i = 0; i < plan_.launches.size(); ++i) {
    auto done = driver_.check(launch(plan_.launches[i], set.launches[i]), plan_.launches[i].kernel);
    if (!done) return done;
  }
  return driver_.check(driver_.cuStreamSynchronize_(context_.stream()), "running the kernels");
}

Result<std::map<std::string, double>> Session::profile(std::uint32_t set,
                                                       const std::filesystem::path& cupti) {
  if (set >= sets_.size()) return failure(fmt::format("profile: no set of buffers {}", set));
  if (!refusal_.empty()) return failure(refusal_);
  auto profiler = Profiler::open(cupti, context_.device());
  if (!profiler) return failure(profiler.error());
  return (*profiler)->collect(
      gates::curated_counters(), [&] { return launch_all(sets_[set]); },
      [&] { return prepare_pass(sets_[set]); });
}

Result<Witness> Session::witness(std::uint32_t set, const std::filesystem::path& cupti) {
  if (set >= sets_.size()) return failure(fmt::format("witness: no set of buffers {}", set));
  if (!refusal_.empty()) return failure(refusal_);
  auto trace = ActivityTrace::begin(cupti);
  if (!trace) return failure(trace.error());
  std::vector<std::vector<TracedWork>> runs;
  for (int i = 0; i <= kWitnessedRuns; ++i) {
    auto done = driver_.check(context_.flush_l2(), "flushing caches");
    if (done) done = fill_all(sets_[set], false);
    if (done) done = launch_all(sets_[set]);
    if (!done) return failure(done.error());
    auto seen = trace->take();
    if (!seen) return failure(seen.error());
    if (i > 0) runs.push_back(std::move(*seen));  // tracing itself warms up
  }
  return witness_of(runs, static_cast<double>(plan_.launches.size()));
}

/// A launch that the driver would not take; or an earlier launch's fault that is met here.
Ending Session::refused(CUresult result, const PlannedLaunch& launch, const std::string& field) const {
  switch (result) {
    case CUDA_ERROR_INVALID_VALUE:
    case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
    case CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE:
    case CUDA_ERROR_INVALID_CLUSTER_SIZE:
    case CUDA_ERROR_NOT_SUPPORTED:
    case CUDA_ERROR_NOT_PERMITTED:
      return {Outcome::launch_error,
              fmt::format("{} (kernel '{}'): the driver refuses the launch: {}.", field, launch.kernel,
                          driver_.words(result)),
              0};
    default:
      return faulted(result, {launch});
  }
}

Ending Session::faulted(CUresult result, const std::vector<PlannedLaunch>& launches) const {
  const std::string where = names(launches);
  switch (result) {
    case CUDA_ERROR_ILLEGAL_ADDRESS:
      return {Outcome::illegal_access,
              fmt::format(
                  "Illegal memory access in {}: a read or write outside the buffers, or a write to an input, "
                  "which is read-only. Check every index against the number of elements.",
                  where),
              0};
    case CUDA_ERROR_MISALIGNED_ADDRESS:
      return {
          Outcome::illegal_access,
          fmt::format(
              "Misaligned memory access in {}: buffers are promised 16-byte alignment and nothing more; a "
              "vector of n bytes must lie at a multiple of n.",
              where),
          0};
    case CUDA_ERROR_LAUNCH_TIMEOUT:
      return {Outcome::timeout, fmt::format("The driver stopped {} after its time limit.", where), 0};
    case CUDA_ERROR_OUT_OF_MEMORY:
      return {Outcome::out_of_memory, fmt::format("The GPU ran out of memory in {}.", where), 0};
    default:
      return {Outcome::crash,
              fmt::format("{} ended with {}: a trap, a failed assertion, a stack overflow, or an "
                          "instruction used wrongly.",
                          where, driver_.words(result)),
              0};
  }
}

}  // namespace kevolve::cuda::runner
