// Drawing, looking at single elements, and the first difference of two tensors.

using namespace kevolve;
using namespace kevolve::gates;
using namespace kevolve::cuda;

template <class S>
const typename S::Bits* bits_of(const void* data) {
  return static_cast<const typename S::Bits*>(data);
}

double value_at(DType dtype, const void* data, uint64_t index) {
  return with_stored(dtype, [&](auto stored) {
    using S = decltype(stored);
    return S::value(bits_of<S>(data)[index]);
  });
}

uint64_t thread_number() {
  return static_cast<uint64_t>(blockIdx.x) * kJudgeThreads + threadIdx.x;
}

// One block a chunk. A thread looks its first segment up and walks on from there: its elements ascend.
__global__ void __launch_bounds__(256) judge_fill(const DrawSegment* segments, uint64_t number,
                                                  Randomness random, DType dtype, void* to, uint64_t count) {
  const uint64_t chunk = static_cast<uint64_t>(blockIdx.x) * kFillChunk;
  const uint64_t end = count - chunk < kFillChunk ? count : chunk + kFillChunk;
  with_stored(dtype, [&](auto stored) {
    using S = decltype(stored);
    uint64_t at = segment_of(segments, number, chunk);
    for (uint64_t i = chunk + threadIdx.x; i < end; i += kJudgeThreads) {
      while (at + 1 < number && segments[at + 1].begin <= i) ++at;
      static_cast<typename S::Bits*>(to)[i] = S::nearest(drawn_value(segments[at], i, random));
    }
  });
}

__global__ void __launch_bounds__(256)
    judge_place(const DrawSingle* singles, uint64_t number, DType dtype, void* to) {
  const uint64_t i = thread_number();
  if (i >= number) return;
  with_stored(dtype, [&](auto stored) {
    using S = decltype(stored);
    static_cast<typename S::Bits*>(to)[singles[i].index] = S::nearest(singles[i].value);
  });
}

__global__ void __launch_bounds__(256)
    judge_look(const void* data, DType dtype, const uint64_t* indices, uint64_t number, double* values) {
  const uint64_t i = thread_number();
  if (i < number) values[i] = value_at(dtype, data, indices[i]);
}

// The first of [begin, end) that differs, or `none`.
template <class S>
uint64_t first_of(const void* a, const void* b, uint64_t begin, uint64_t end, uint64_t none) {
  for (uint64_t i = begin; i < end; ++i) {
    if (!same_bits<S>(bits_of<S>(a)[i], bits_of<S>(b)[i])) return i;
  }
  return none;
}

// *first is `count` before. Sixteen bytes at a time where both tensors are so aligned; each thread's elements
// ascend, so that it may stop at its first.
__global__ void __launch_bounds__(256) judge_first_difference(const void* a, const void* b, DType dtype,
                                                              uint64_t count, unsigned long long* first) {
  const uint64_t step = static_cast<uint64_t>(gridDim.x) * kJudgeThreads;
  with_stored(dtype, [&](auto stored) {
    using S = decltype(stored);
    constexpr uint64_t per_word = 16 / sizeof(typename S::Bits);
    const bool aligned = ((reinterpret_cast<uint64_t>(a) | reinterpret_cast<uint64_t>(b)) & 15) == 0;
    const uint64_t words = aligned ? count / per_word : 0;
    uint64_t found = count;
    for (uint64_t w = thread_number(); w < words && found == count; w += step) {
      const uint4 x = static_cast<const uint4*>(a)[w], y = static_cast<const uint4*>(b)[w];
      if (x.x != y.x || x.y != y.y || x.z != y.z || x.w != y.w)
        found = first_of<S>(a, b, w * per_word, (w + 1) * per_word, count);
    }
    for (uint64_t i = words * per_word + thread_number(); i < count && found == count; i += step)
      found = first_of<S>(a, b, i, i + 1, count);
    if (found < count) atomicMin(first, static_cast<unsigned long long>(found));
  });
}
