/*kevolve
{
  "idea": "Split rows over SPLIT blocks within one launch: every block publishes its partial sum, then draws a ticket from a counter of its row, and whoever draws the last ticket adds the partial sums in a fixed order. The gap before a second kernel disappears, and the result does not depend on who is last.",
  "tunables": { "SPLIT": [4, 2, 16], "BLOCK": [128, 1, 4, 256], "ITEMS": [4, 16, 64] },
  "constraints": ["L % (SPLIT * BLOCK * ITEMS) == 0"],
  "scratch": {
    "partial": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "tickets": { "dtype": "i32", "elements": "ROWS", "init": "zero" }
  },
  "launches": [
    { "kernel": "sum_pieces", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "partial", "tickets", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "A split reduction whose second kernel is as long as the launch gap before it; grid below the number of SMs without a split.",
    "combines": ["split_rows", "contiguous_tiles"]
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

__device__ double tiles_sum(const float* in, int tiles) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < tiles; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, tiles);
    float sum[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) sum[j] = 0.0f;
    for (int tile = begin; tile < end; tile += BLOCK) {
#pragma unroll
      for (int j = 0; j < ITEMS; ++j) sum[j] += in[tile * ITEMS + j];
    }
#pragma unroll
    for (int width = ITEMS / 2; width > 0; width /= 2) {
#pragma unroll
      for (int j = 0; j < width; ++j) sum[j] += sum[j + width];
    }
    total += sum[0];
  }
  return total;
}

__global__ void __launch_bounds__(BLOCK) sum_pieces(const float* x, double* partial, int* tickets, float* y) {
  constexpr int kPiece = L / SPLIT;
  const int row = blockIdx.y;
  double total = tiles_sum(x + (long long)row * L + blockIdx.x * kPiece, kPiece / ITEMS);
#if BLOCK > 1
  __shared__ double sums[BLOCK];
  sums[threadIdx.x] = total;
  __syncthreads();
  for (int width = BLOCK / 2; width > 0; width /= 2) {
    if (threadIdx.x < width) sums[threadIdx.x] += sums[threadIdx.x + width];
    __syncthreads();
  }
  total = sums[0];
#endif
  if (threadIdx.x != 0) return;
  volatile double* pieces = partial + row * SPLIT;
  pieces[blockIdx.x] = total;
  __threadfence();
  if (atomicAdd(&tickets[row], 1) != SPLIT - 1) return;
  __threadfence();
  total = 0.0;
  for (int piece = 0; piece < SPLIT; ++piece) total += pieces[piece];
  y[row] = (float)total;
}
