/*kevolve
{
  "idea": "Each block counts into its own shared histogram with integer atomics, stores it to scratch, and a second launch adds the columns.",
  "tunables": { "BLOCKS": [6, 1, 13] },
  "scratch": { "counts": { "dtype": "i32", "elements": "BLOCKS * 64" } },
  "launches": [
    { "kernel": "count", "grid": ["BLOCKS"], "block": [128], "args": ["x", "counts"] },
    { "kernel": "combine", "grid": [1], "block": [64], "args": ["counts", "y"] }
  ]
}
*/
__global__ void count(const int* __restrict__ x, int* __restrict__ counts) {
  __shared__ int bins[64];
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < N; i += gridDim.x * blockDim.x) atomicAdd(&bins[x[i]], 1);
  __syncthreads();
  for (int b = threadIdx.x; b < 64; b += blockDim.x) counts[blockIdx.x * 64 + b] = bins[b];
}

__global__ void combine(const int* __restrict__ counts, long long* __restrict__ y) {
  long long sum = 0;
  for (int k = 0; k < BLOCKS; ++k) sum += counts[k * 64 + threadIdx.x];
  y[threadIdx.x] = sum;
}
