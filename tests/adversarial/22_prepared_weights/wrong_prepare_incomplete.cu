/*kevolve
{
  "idea": "Repack the constant weights once into scratch, reversed by tiles of four, then normalise with one block per row.",
  "scratch": { "packed": { "dtype": "f32", "elements": "L" } },
  "prepare": [ { "kernel": "repack", "grid": ["ceil_div(L, 128)"], "block": [128], "args": ["weight", "packed"] } ],
  "launches": [ { "kernel": "apply", "grid": ["ROWS"], "block": [128], "args": ["x", "packed", "y"] } ]
}
*/
__global__ void repack(const float* weight, float* packed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < L - 1) packed[L - 1 - i] = weight[i];
}

__global__ void apply(const float* x, const float* packed, float* y) {
  __shared__ double sums[128];
  const float* row = x + blockIdx.x * L;
  double s = 0;
  for (int i = threadIdx.x; i < L; i += 128) s += (double)row[i] * row[i];
  sums[threadIdx.x] = s;
  __syncthreads();
  for (int k = 64; k > 0; k /= 2) {
    if (threadIdx.x < k) sums[threadIdx.x] += sums[threadIdx.x + k];
    __syncthreads();
  }
  const float r = (float)(1.0 / sqrt(sums[0] / L + (double)EPS));
  for (int i = threadIdx.x; i < L; i += 128) y[blockIdx.x * L + i] = row[i] * r * packed[L - 1 - i];
}
