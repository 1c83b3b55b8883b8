// The noise of every tile, and one look at every element of an answer.

double warp_sum(double value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  return value;
}

double warp_max(double value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value = fmax(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  return value;
}

// Sums in a fixed order: the same tensor gives the same figures.
__global__ void __launch_bounds__(256)
    judge_squares(const double* values, uint64_t count, SquaresPart* parts) {
  __shared__ double squares_of[kJudgeWarps], counts_of[kJudgeWarps];
  double squares = 0, number = 0;
  for (uint64_t i = thread_number(); i < count; i += static_cast<uint64_t>(gridDim.x) * kJudgeThreads) {
    const double value = values[i];
    if (is_finite(value)) squares += value * value, number += 1;
  }
  squares = warp_sum(squares), number = warp_sum(number);
  if (threadIdx.x % 32 == 0) squares_of[threadIdx.x / 32] = squares, counts_of[threadIdx.x / 32] = number;
  __syncthreads();
  if (threadIdx.x != 0) return;
  SquaresPart part{0, 0};
  for (unsigned w = 0; w < kJudgeWarps; ++w) part.squares += squares_of[w], part.count += counts_of[w];
  parts[blockIdx.x] = part;
}

// Of a radix selection: keys that agree with `prefix` above the digit, `rank` of them before the one sought.
struct Selection {
  unsigned long long prefix;
  unsigned rank;
};

// By one warp: the digit that holds the key of the rank, and its rank among the keys of that digit.
void choose_digit(const unsigned* bins, int shift, Selection* selection) {
  const unsigned lane = threadIdx.x % 32;
  const unsigned rank = selection->rank;
  unsigned own = 0;
  for (unsigned b = 0; b < 8; ++b) own += bins[8 * lane + b];
  unsigned up_to = own;
  for (unsigned lanes = 1; lanes < 32; lanes *= 2) {
    const unsigned below = __shfl_up_sync(0xffffffffu, up_to, lanes);
    if (lane >= lanes) up_to += below;
  }
  __syncwarp();  // all have read the rank
  if (rank >= up_to || rank < up_to - own) return;
  unsigned left = rank - (up_to - own), digit = 8 * lane;
  while (left >= bins[digit]) left -= bins[digit++];
  selection->prefix |= static_cast<unsigned long long>(digit) << shift;
  selection->rank = left;
}

// The key that would stand at selection->rank if the `count` keys were sorted. All threads of the block.
unsigned long long select_key(const unsigned long long* keys, unsigned count, unsigned* bins,
                              Selection* selection) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bins[threadIdx.x] = 0;
    __syncthreads();
    const unsigned long long prefix = selection->prefix;
    for (unsigned i = threadIdx.x; i < count; i += kJudgeThreads) {
      const unsigned long long key = keys[i];
      if (shift == 56 || key >> (shift + 8) == prefix >> (shift + 8))
        atomicAdd(&bins[key >> shift & 255], 1u);
    }
    __syncthreads();
    if (threadIdx.x < 32) choose_digit(bins, shift, selection);
    __syncthreads();
  }
  return selection->prefix;
}

// Shared memory of a block that observes.
struct ObserveRoom {
  unsigned long long keys[kTileMost];
  unsigned bins[256];
  unsigned counted;
  Selection selection;
  double most[kJudgeWarps];
};

// The noise of a tile of which observed(i) is seen; `least` is that of the relative noise, which is the
// median of the ratios: doubles that are not negative order as their bits do. By all threads of a block;
// thread 0's is right.
template <class Observed>
Noise summary(const double* oracle, unsigned count, double least, ObserveRoom& room, Observed observed,
              double spread = kRelativeSpread) {
  unsigned long long* keys = room.keys;
  unsigned& counted = room.counted;
  Selection& selection = room.selection;
  constexpr unsigned long long kNoKey = ~0ull;
  if (threadIdx.x == 0) counted = 0;
  __syncthreads();
  unsigned mine = 0;
  for (unsigned i = threadIdx.x; i < count; i += kJudgeThreads) {
    const bool counts = is_finite(oracle[i]) && oracle[i] != 0;
    keys[i] = counts ? __builtin_bit_cast(unsigned long long, observed(i) / fabs(oracle[i])) : kNoKey;
    mine += counts ? 1 : 0;
  }
  atomicAdd(&counted, mine);
  __syncthreads();
  if (threadIdx.x == 0) selection.prefix = 0, selection.rank = counted / 2;
  __syncthreads();
  double relative = least;
  if (counted > 0)
    relative = fmax(relative, __builtin_bit_cast(double, select_key(keys, count, room.bins, &selection)));
  double absolute = 0;
  for (unsigned i = threadIdx.x; i < count; i += kJudgeThreads) {
    if (is_finite(oracle[i])) absolute = fmax(absolute, unexplained(observed(i), relative, oracle[i], spread));
  }
  absolute = warp_max(absolute);
  if (threadIdx.x % 32 == 0) room.most[threadIdx.x / 32] = absolute;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned w = 1; w < kJudgeWarps; ++w) absolute = fmax(absolute, room.most[w]);
  }
  __syncthreads();  // the room may be used again
  return {relative, absolute};
}

// One block a tile.
__global__ void __launch_bounds__(256)
    judge_observe(JudgeSubject subject, const double* response, Noise* noise) {
  __shared__ ObserveRoom room;
  const uint64_t begin = subject.tiles.begin(blockIdx.x);
  const unsigned count = static_cast<unsigned>(subject.tiles.size(blockIdx.x));
  const double* oracle = subject.oracle + begin;
  Noise all = summary(oracle, count, subject.type.roundoff, room, [&](unsigned i) {
    return observed_noise(value_at(subject.dtype, subject.torch, begin + i), oracle[i],
                          response == nullptr ? 0 : response[begin + i]);
  });
  if (response != nullptr && hides_arithmetic(subject.type)) {
    const auto of_response = [&](unsigned i) { return observed_arithmetic(response[begin + i]); };
    all.arithmetic =
        product(subject.response_rule.multiple,
                summary(oracle, count, subject.response_rule.least, room, of_response, subject.response_rule.spread).absolute);
  }
  if (threadIdx.x == 0) noise[blockIdx.x] = all;
}

// What a lane has found so far.
struct LaneFindings {
  double needed = 0, max_error = 0, squares = 0, error_squares = 0;
  bool inexact = false;
};

// Sums over one tile.
struct TileSums {
  double errors = 0, noises = 0;
};

// max(most, value / by), without the division where it cannot be the larger: rounding keeps order.
double larger_ratio(double most, double value, double by) {
  return value > 0 && value >= product(most, by) ? fmax(most, value / by) : most;
}

template <class S>
void measure_element(const JudgeSubject& subject, const Noise& noise, double rms,
                     const typename S::Bits* torch, double answer, double oracle, LaneFindings& found,
                     TileSums& sums) {
  const TypeLimits& type = subject.type;
  const bool common = is_finite(answer) && fabs(oracle) < type.overflow;
  const Right right(oracle, common ? 0 : S::value(*torch), type);
  if (!common) found.needed = fmax(found.needed, needed_allowance(answer, right, noise, type));
  found.inexact = found.inexact || !is_exact(answer, right, type);
  if (!is_finite(right.value)) return;
  const double error = is_finite(answer) ? fabs(answer - right.value) : 0;
  const double around = noise.at(right.value, type);
  if (common) found.needed = larger_ratio(found.needed, difference(error, noise.arithmetic), around);
  found.max_error = larger_ratio(found.max_error, error, fabs(right.value) + rms + type.step);
  found.squares += right.value * right.value;
  sums.errors += error * error;
  sums.noises += around * around;
}

// By one warp. Several loads of each lane are under way at once. Places in a tile fit 32 bits, which halves
// the registers that they take.
template <class S>
void measure_tile(const JudgeSubject& subject, uint64_t tile, double rms, LaneFindings& found) {
  constexpr unsigned kAtOnce = 4;
  const uint64_t begin = subject.tiles.begin(tile);
  const unsigned count = static_cast<unsigned>(subject.tiles.size(tile));
  const typename S::Bits *answers = bits_of<S>(subject.answer) + begin,
                         *torch = bits_of<S>(subject.torch) + begin;
  const double* oracles = subject.oracle + begin;
  const Noise noise = subject.noise[tile];
  TileSums sums;
  for (unsigned i = threadIdx.x % 32; i < count; i += 32 * kAtOnce) {
    typename S::Bits answer[kAtOnce];
    double oracle[kAtOnce];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k) {
      if (i + 32 * k < count) answer[k] = answers[i + 32 * k], oracle[k] = oracles[i + 32 * k];
    }
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k) {
      if (i + 32 * k < count)
        measure_element<S>(subject, noise, rms, torch + i + 32 * k, S::value(answer[k]), oracle[k], found,
                           sums);
    }
  }
  sums.errors = warp_sum(sums.errors), sums.noises = warp_sum(sums.noises);
  if (threadIdx.x % 32 == 0) found.error_squares += sums.errors;
  found.needed = fmax(found.needed, needed_by_norm(sums.errors, sums.noises, count, noise));
  if (count < 16 * 32) return;
  found.needed = warp_max(found.needed);  // so that fewer of the next tile's elements are divided
  found.max_error = warp_max(found.max_error);
}

// A warp a tile, in turn; every block's findings in its own place.
__global__ void __launch_bounds__(256, 3)
    judge_measure(JudgeSubject subject, double rms, MeasuredPart* parts) {
  __shared__ MeasuredPart of_warp[kJudgeWarps];
  const unsigned warp = threadIdx.x / 32;
  LaneFindings found;
  with_floating(subject.dtype, [&](auto stored) {
    for (uint64_t tile = static_cast<uint64_t>(blockIdx.x) * kJudgeWarps + warp; tile < subject.tiles.number;
         tile += static_cast<uint64_t>(gridDim.x) * kJudgeWarps)
      measure_tile<decltype(stored)>(subject, tile, rms, found);
  });
  const MeasuredPart part{warp_max(found.needed), warp_max(found.max_error), warp_sum(found.squares),
                          warp_sum(found.error_squares),
                          __ballot_sync(0xffffffffu, found.inexact) != 0 ? 1u : 0u};
  if (threadIdx.x % 32 == 0) of_warp[warp] = part;
  __syncthreads();
  if (threadIdx.x != 0) return;
  MeasuredPart all = of_warp[0];
  for (unsigned w = 1; w < kJudgeWarps; ++w) {
    all.needed = fmax(all.needed, of_warp[w].needed);
    all.max_error = fmax(all.max_error, of_warp[w].max_error);
    all.squares += of_warp[w].squares;
    all.error_squares += of_warp[w].error_squares;
    all.inexact |= of_warp[w].inexact;
  }
  parts[blockIdx.x] = all;
}
