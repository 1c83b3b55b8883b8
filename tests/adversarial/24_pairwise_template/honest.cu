/*kevolve
{
  "idea": "Pairwise summation by template recursion: the compiler unrolls a tree of additions per thread, then threads combine in shared memory in a fixed order.",
  "constraints": ["L % 1024 == 0"],
  "launches": [ { "kernel": "pairwise_rows<64>", "grid": ["ROWS"], "block": [64], "args": ["x", "y"] } ]
}
*/
template <int kCount>
struct Tree {
  static __device__ __forceinline__ float sum(const float* p, int stride) {
    return Tree<kCount / 2>::sum(p, stride) + Tree<kCount - kCount / 2>::sum(p + kCount / 2 * stride, stride);
  }
};
template <>
struct Tree<1> {
  static __device__ __forceinline__ float sum(const float* p, int) { return *p; }
};

template <int kThreads>
__global__ void pairwise_rows(const float* __restrict__ x, float* __restrict__ y) {
  __shared__ float partial[kThreads];
  const float* row = x + static_cast<unsigned long long>(blockIdx.x) * L;
  float sum = 0.0f;
  for (int base = 0; base < L; base += 16 * kThreads) sum += Tree<16>::sum(row + base + threadIdx.x, kThreads);
  partial[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float total = Tree<kThreads>::sum(partial, 1);
  y[blockIdx.x] = total;
}
