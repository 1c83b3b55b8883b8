/*kevolve
{
  "idea": "Launch only WAVES blocks per SM and let each walk over many rows, loading the first tiles of its next row before it reduces the present one: the loads fly while barriers and shuffles run, and block start-up is paid once instead of once per row.",
  "tunables": { "WAVES": [2, 1, 8], "BLOCK": [256, 1, 4, 512], "ITEMS": [4, 16, 64] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS * BLOCK <= 8192"],
  "launches": [
    { "kernel": "sum_rows", "grid": ["min(ROWS, WAVES * num_sms)"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Many short waves, DRAM idle between the reduction of one row and the loads of the next, barrier stalls.",
    "combines": ["contiguous_tiles"]
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double
constexpr int kTiles = L / ITEMS;

__device__ void load_tile(float* tile, const float* in) {
#pragma unroll
  for (int j = 0; j < ITEMS; ++j) tile[j] = in[j];
}

__device__ double row_sum(const float* first, const float* in) {
  double total = 0.0;
  float sum[ITEMS];
#pragma unroll
  for (int j = 0; j < ITEMS; ++j) sum[j] = first[j];
  for (int begin = threadIdx.x + BLOCK; begin < kTiles; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kTiles);
    for (int tile = begin; tile < end; tile += BLOCK) {
#pragma unroll
      for (int j = 0; j < ITEMS; ++j) sum[j] += in[tile * ITEMS + j];
    }
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) {
      total += sum[j];
      sum[j] = 0.0f;
    }
  }
#pragma unroll
  for (int j = 0; j < ITEMS; ++j) total += sum[j];
  return total;
}

__device__ double block_sum(double value) {
#if BLOCK > 1
  __shared__ double partial[BLOCK];
  __syncthreads();
  partial[threadIdx.x] = value;
  __syncthreads();
  for (int width = BLOCK / 2; width > 0; width /= 2) {
    if (threadIdx.x < width) partial[threadIdx.x] += partial[threadIdx.x + width];
    __syncthreads();
  }
  return partial[0];
#else
  return value;
#endif
}

__global__ void __launch_bounds__(BLOCK) sum_rows(const float* x, float* y) {
  float tile[ITEMS];
  int row = blockIdx.x;
  load_tile(tile, x + (long long)row * L + threadIdx.x * ITEMS);
  while (row < ROWS) {
    const int next = row + gridDim.x;
    const double mine = row_sum(tile, x + (long long)row * L);
    if (next < ROWS) load_tile(tile, x + (long long)next * L + threadIdx.x * ITEMS);
    const double total = block_sum(mine);
    if (threadIdx.x == 0) y[row] = (float)total;
    row = next;
  }
}
