/*kevolve
{
  "idea": "Binary search by votes: the block narrows the bits of the row's largest key with __syncthreads_or and the index with __syncthreads_count, without any shared memory.",
  "launches": [ { "kernel": "argmax_votes", "grid": ["ROWS"], "block": [64], "args": ["x", "y"] } ]
}
*/
__device__ unsigned ordered(float v) {
  unsigned bits = __float_as_uint(v);
  if (isnan(v)) return 0xffffffffu;
  if (v == 0.0f) return 0x80000000u;
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

__global__ void argmax_votes(const float* x, long long* y) {
  const float* row = x + (size_t)blockIdx.x * L;
  unsigned prefix = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const unsigned candidate = prefix | 1u << bit;
    int found = 0;
    for (int i = threadIdx.x; i < L; i += blockDim.x) found |= ordered(row[i]) >= candidate;
    if (__syncthreads_or(found)) prefix = candidate;
  }
  // The first index whose key is the largest: count, tile by tile, who still comes before it.
  int base = 0;
  bool done = false;
  while (!done) {
    const int i = base + threadIdx.x;
    const bool hit = i < L && ordered(row[i]) == prefix;
    const bool any = __syncthreads_or(hit);
    if (any) {
      bool before = true;
      for (int k = 0; k <= (int)threadIdx.x; ++k) before = before && !(base + k < L && ordered(row[base + k]) == prefix);
      const int skipped = __syncthreads_count(before);
      if (threadIdx.x == 0) y[blockIdx.x] = base + skipped;
      done = true;
    }
    base += blockDim.x;
  }
}
