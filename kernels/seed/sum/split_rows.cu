/*kevolve
{
  "idea": "Cut every row into SPLIT pieces and give each piece its own block, so that the grid fills the device in many small waves whatever the number of rows; a second, tiny launch adds the pieces of a row in a fixed order.",
  "tunables": { "SPLIT": [8, 2, 32], "BLOCK": [256, 32, 128] },
  "constraints": ["L % (SPLIT * BLOCK) == 0"],
  "scratch": { "partial": { "dtype": "f64", "elements": "ROWS * SPLIT" } },
  "launches": [
    { "kernel": "sum_pieces", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "partial"] },
    { "kernel": "sum_partials", "grid": ["ceil_div(ROWS, 32)"], "block": [32], "args": ["partial", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Fewer rows than SMs, a fractional last wave, or blocks that finish at very different times."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

__device__ double block_sum(double value) {
  __shared__ double partial[32];
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0.0;
  for (int warp = 0; warp < BLOCK / 32; ++warp) sum += partial[warp];
  return sum;
}

__global__ void __launch_bounds__(BLOCK) sum_pieces(const float* x, double* partial) {
  constexpr int kPiece = L / SPLIT;
  const float* in = x + (long long)blockIdx.y * L + blockIdx.x * kPiece;
  double total = 0.0;
  for (int begin = 0; begin < kPiece; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kPiece);
    float sum = 0.0f;
#pragma unroll 4
    for (int i = begin + threadIdx.x; i < end; i += BLOCK) sum += in[i];
    total += sum;
  }
  total = block_sum(total);
  if (threadIdx.x == 0) partial[blockIdx.y * SPLIT + blockIdx.x] = total;
}

__global__ void sum_partials(const double* partial, float* y) {
  const int row = blockIdx.x * 32 + threadIdx.x;
  if (row >= ROWS) return;
  double total = 0.0;
  for (int piece = 0; piece < SPLIT; ++piece) total += partial[row * SPLIT + piece];
  y[row] = (float)total;
}
