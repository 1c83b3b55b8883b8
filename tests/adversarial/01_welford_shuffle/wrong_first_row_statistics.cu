/*kevolve
{
  "idea": "One block per row; every thread runs Welford's update, warps merge their moments by shuffles, then one warp merges the warps.",
  "tunables": { "WARPS": [8, 4, 16] },
  "launches": [
    { "kernel": "rows::layer_norm<float, WARPS>", "grid": ["ROWS"], "block": ["WARPS * 32"], "args": ["x", "weight", "bias", "y"] }
  ]
}
*/
namespace rows {

template <typename T>
struct Moments {
  T count, mean, m2;
};

template <typename T>
__device__ __forceinline__ Moments<T> merge(Moments<T> a, Moments<T> b) {
  const T count = a.count + b.count;
  if (count == T(0)) return a;
  const T delta = b.mean - a.mean;
  const T share = b.count / count;
  return {count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share};
}

template <typename T>
__device__ Moments<T> warp_merge(Moments<T> v) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) {
    Moments<T> other;
    other.count = __shfl_xor_sync(0xffffffffu, v.count, offset);
    other.mean = __shfl_xor_sync(0xffffffffu, v.mean, offset);
    other.m2 = __shfl_xor_sync(0xffffffffu, v.m2, offset);
    // The same order on both sides of the exchange, so that all lanes hold the same bits.
    v = (threadIdx.x & offset) ? merge(other, v) : merge(v, other);
  }
  return v;
}

template <typename T, int kWarps>
__global__ void layer_norm(const T* __restrict__ x, const T* __restrict__ weight, const T* __restrict__ bias, T* __restrict__ y) {
  __shared__ Moments<T> partial[kWarps];
  const T* in = x;
  T* out = y + static_cast<size_t>(blockIdx.x) * L;
  Moments<T> own{0, 0, 0};
  for (int i = threadIdx.x; i < L; i += kWarps * 32) {
    const T value = in[i];
    own.count += T(1);
    const T delta = value - own.mean;
    own.mean += delta / own.count;
    own.m2 += delta * (value - own.mean);
  }
  own = warp_merge(own);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (lane == 0) partial[warp] = own;
  __syncthreads();
  own = lane < kWarps ? partial[lane] : Moments<T>{0, 0, 0};
  own = warp_merge(own);
  const T scale = rsqrtf(own.m2 / T(L) + EPS);
  for (int i = threadIdx.x; i < L; i += kWarps * 32) out[i] = (in[i] - own.mean) * scale * weight[i] + bias[i];
}

}  // namespace rows
