/*kevolve
{
  "idea": "Blocks stride over a row and add their share with one atomic per warp; the order of additions varies, which is declared.",
  "tunables": { "SPLIT": [4, 2, 8], "BLOCK": [128, 64] },
  "output_fill": { "y": "zero" },
  "deterministic": false,
  "launches": [
    { "kernel": "accumulate", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ]
}
*/
__global__ void accumulate(const float* x, float* y) {
  const float* row = x + (size_t)blockIdx.y * L;
  float sum = 0.0f;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < L; i += gridDim.x * blockDim.x) y[blockIdx.y] += row[i];
  for (int mask = warpSize / 2; mask > 0; mask /= 2) sum += __shfl_down_sync(~0u, sum, mask);
}
