/*kevolve
{
  "idea": "Split the sum over K among SPLIT blocks per tile, each writing its partial tile to scratch, then add the SPLIT partial results in a second kernel in fixed order. A small product then has enough blocks for all SMs, and every run gives the same bits.",
  "tunables": { "SPLIT": [4, 2, 8, 16], "TM": [4, 8, 16], "TN": [32, 4, 8, 16], "TX": [8, 4, 16], "TY": [4, 1, 8] },
  "constraints": ["M % TM == 0", "N % TN == 0", "K % SPLIT == 0", "N % 4 == 0", "TM * TN <= 256"],
  "scratch": { "partial": { "dtype": "f32", "elements": "SPLIT * M * N" } },
  "launches": [
    { "kernel": "partial_product", "grid": ["ceil_div(N, TN * TX)", "ceil_div(M, TM * TY)", "SPLIT"], "block": ["TX", "TY"],
      "args": ["a", "b", "partial"] },
    { "kernel": "add_partials", "grid": ["ceil_div(M * N, 512)"], "block": [128], "args": ["partial", "c"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Fewer blocks than SMs, or a last wave that is mostly empty, with a long sum per element.",
    "combines": ["register_tile"]
  }
}
*/
__global__ void partial_product(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ partial) {
  const int column = (blockIdx.x * TX + threadIdx.x) * TN;
  const int row = (blockIdx.y * TY + threadIdx.y) * TM;
  if (row >= M || column >= N) return;
  constexpr int kDepth = K / SPLIT;
  const float* a_rows = a + (long long)row * K + blockIdx.z * kDepth;
  const float* b_columns = b + (long long)blockIdx.z * kDepth * N + column;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  for (int k = 0; k < kDepth; ++k) {
    float b_row[TN];
#pragma unroll
    for (int j = 0; j < TN; ++j) b_row[j] = b_columns[(long long)k * N + j];
#pragma unroll
    for (int i = 0; i < TM; ++i) {
      const float a_value = a_rows[(long long)i * K + k];
#pragma unroll
      for (int j = 0; j < TN; ++j) sum[i][j] += a_value * b_row[j];
    }
  }
  float* out = partial + ((long long)blockIdx.z * M + row) * N + column;
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) out[(long long)i * N + j] = sum[i][j];
  }
}

__global__ void add_partials(const float* __restrict__ partial, float* __restrict__ c) {
  const long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (i >= (long long)M * N) return;
  float4 sum = *reinterpret_cast<const float4*>(partial + i);
#pragma unroll
  for (int s = 1; s < SPLIT; ++s) {
    const float4 v = *reinterpret_cast<const float4*>(partial + (long long)s * M * N + i);
    sum.x += v.x;
    sum.y += v.y;
    sum.z += v.z;
    sum.w += v.w;
  }
  *reinterpret_cast<float4*>(c + i) = sum;
}
