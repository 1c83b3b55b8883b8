/*kevolve
{
  "idea": "Repack first: a into panels of TM rows and b into panels of TN columns, each panel laid out in the order in which the multiplication reads it. The main loop then walks two contiguous streams with 128-bit loads, never strides by a whole row, and touches one page at a time; the copies cost O(n^2) against O(n^3).",
  "tunables": { "TM": [4, 8, 16], "TN": [32, 4, 8, 16], "TX": [4, 8, 16], "TY": [4, 8, 16] },
  "constraints": ["M % TM == 0", "N % TN == 0", "TM * TN <= 256"],
  "scratch": {
    "a_panels": { "dtype": "f32", "elements": "M * K" },
    "b_panels": { "dtype": "f32", "elements": "K * N" }
  },
  "launches": [
    { "kernel": "pack_rows", "grid": ["ceil_div(K, 64)", "M / TM"], "block": [64], "args": ["a", "a_panels"] },
    { "kernel": "pack_columns", "grid": ["ceil_div(K, 64)", "N / TN"], "block": [64], "args": ["b", "b_panels"] },
    { "kernel": "multiply_panels", "grid": ["ceil_div(N / TN, TX)", "ceil_div(M / TM, TY)"], "block": ["TX", "TY"],
      "args": ["a_panels", "b_panels", "c"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "Strided reads: few bytes used per sector, or cache and TLB misses that grow with the row length.",
    "combines": ["register_tile"]
  }
}
*/
// a_panels[panel][k][TM]
__global__ void pack_rows(const float* __restrict__ a, float* __restrict__ a_panels) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= K) return;
  const float* rows = a + (long long)blockIdx.y * TM * K + k;
  float* panel = a_panels + ((long long)blockIdx.y * K + k) * TM;
#pragma unroll
  for (int i = 0; i < TM; ++i) panel[i] = rows[(long long)i * K];
}

// b_panels[panel][k][TN]
__global__ void pack_columns(const float* __restrict__ b, float* __restrict__ b_panels) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= K) return;
  const float* row = b + (long long)k * N + blockIdx.y * TN;
  float* panel = b_panels + ((long long)blockIdx.y * K + k) * TN;
#pragma unroll
  for (int j = 0; j < TN; ++j) panel[j] = row[j];
}

__global__ void multiply_panels(const float* __restrict__ a_panels, const float* __restrict__ b_panels,
                                float* __restrict__ c) {
  const int column_panel = blockIdx.x * TX + threadIdx.x;
  const int row_panel = blockIdx.y * TY + threadIdx.y;
  if (column_panel >= N / TN || row_panel >= M / TM) return;
  const float* a_panel = a_panels + (long long)row_panel * K * TM;
  const float* b_panel = b_panels + (long long)column_panel * K * TN;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  for (int k = 0; k < K; ++k) {
    float b_row[TN];
#pragma unroll
    for (int j = 0; j < TN; ++j) b_row[j] = b_panel[k * TN + j];
#pragma unroll
    for (int i = 0; i < TM; ++i) {
      const float a_value = a_panel[k * TM + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) sum[i][j] += a_value * b_row[j];
    }
  }
  float* out = c + (long long)row_panel * TM * N + column_panel * TN;
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) out[(long long)i * N + j] = sum[i][j];
  }
}
