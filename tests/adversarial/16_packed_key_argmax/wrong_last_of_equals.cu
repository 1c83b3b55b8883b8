/*kevolve
{
  "idea": "Order-preserving 64-bit keys (value, then inverted index), reduced by shuffles within the warp and atomicMax across warps; NaN maps to the largest key.",
  "tunables": { "BLOCK": [96, 32, 256] },
  "launches": [ { "kernel": "argmax_rows", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] } ]
}
*/
typedef unsigned long long u64;

__device__ u64 key_of(float v, unsigned i) {
  unsigned bits = __float_as_uint(v);
  if (v != v) bits = 0xffffffffu;
  else bits = (bits & 0x80000000u) ? ~bits : (bits | 0x80000000u);
  if (v == 0.0f) bits = 0x80000000u;
  return ((u64)bits << 32) | i;
}

__global__ void argmax_rows(const float* x, long long* y) {
  __shared__ u64 best;
  if (threadIdx.x == 0) best = 0;
  __syncthreads();
  u64 mine = 0;
  for (unsigned i = threadIdx.x; i < L; i += blockDim.x) mine = max(mine, key_of(x[blockIdx.x * L + i], i));
  for (int d = 16; d >= 1; d /= 2) {
    const u64 other = __shfl_down_sync(0xffffffffu, mine, d);
    mine = other > mine ? other : mine;
  }
  if (threadIdx.x % 32 == 0) atomicMax(&best, mine);
  __syncthreads();
  if (threadIdx.x == 0) y[blockIdx.x] = (unsigned)best;
}
