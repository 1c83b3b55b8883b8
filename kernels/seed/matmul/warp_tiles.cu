/*kevolve
{
  "idea": "Three-level tiling: block, warp, thread. A warp owns a rectangle of the product, its lanes stand in it as LANE_ROWS rows, and each lane keeps TM x TN sums as quads of 4 x 4 that lie apart, so that every fragment is read by 128-bit loads without bank conflicts. Fragments of the next k are read from shared memory while those of this k are multiplied, and the next slice of K is on its way from device memory meanwhile: one barrier a slice. Blocks walk the tiles in groups of GROUP rows, which share columns in L2.",
  "tunables": { "WARPS_M": [2, 4, 1], "WARPS_N": [4, 2, 1], "LANE_ROWS": [8, 4], "TM": [8, 16], "TN": [8, 16], "BK": [8, 16], "GROUP": [8, 1, 4, 16], "RESIDENT": [2, 1, 3] },
  "constraints": ["M % (WARPS_M * LANE_ROWS * TM) == 0", "N % (WARPS_N * 32 / LANE_ROWS * TN) == 0", "K % BK == 0",
                  "TM * TN <= 128", "TM * TN * RESIDENT * WARPS_M * WARPS_N <= 1024",
                  "M / (WARPS_M * LANE_ROWS * TM) % min(GROUP, M / (WARPS_M * LANE_ROWS * TM)) == 0",
                  "8 * BK * (WARPS_M * LANE_ROWS * TM + 4 + WARPS_N * 32 / LANE_ROWS * TN) <= 49152",
                  "LANE_ROWS * TM * BK % (128 * WARPS_N) == 0", "32 / LANE_ROWS * TN * BK % (128 * WARPS_M) == 0",
                  "WARPS_M * 128 % (32 / LANE_ROWS * TN) == 0"],
  "launches": [
    { "kernel": "warp_tiles", "grid": ["M / (WARPS_M * LANE_ROWS * TM) * (N / (WARPS_N * 32 / LANE_ROWS * TN))"],
      "block": ["WARPS_M * WARPS_N * 32"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "latency_bound"],
    "evidence": "FMA pipe busy below 80 % in a tiled kernel: short scoreboard stalls before FMAs, several shared-memory loads per FMA.",
    "combines": ["double_buffer", "block_tile"]
  }
}
*/
constexpr int kLaneColumns = 32 / LANE_ROWS;
constexpr int BM = WARPS_M * LANE_ROWS * TM, BN = WARPS_N * kLaneColumns * TN;
constexpr int kThreads = WARPS_M * WARPS_N * 32;
constexpr int kLoadsA = BM * BK / 4 / kThreads, kLoadsB = BN * BK / 4 / kThreads;
constexpr int kRowA = BM + 4;  // of a transposed tile: its scalar stores then meet different banks

struct Tiles {
  float a[2][BK][kRowA];
  float b[2][BK][BN];
};

struct Slice {
  float4 a[kLoadsA], b[kLoadsB];
};

// The first of a thread's vectors of each tile; the others lie a constant number of rows further.
constexpr int kRowsA = kThreads / (BK / 4), kRowsB = kThreads / (BN / 4);

__device__ __forceinline__ void fetch(Slice& slice, const float* from_a, const float* from_b) {
#pragma unroll
  for (int l = 0; l < kLoadsA; ++l) slice.a[l] = *reinterpret_cast<const float4*>(from_a + l * kRowsA * K);
#pragma unroll
  for (int l = 0; l < kLoadsB; ++l) slice.b[l] = *reinterpret_cast<const float4*>(from_b + l * kRowsB * N);
}

__device__ __forceinline__ void store(const Slice& slice, Tiles& tiles, int stage) {
  const int row = threadIdx.x / (BK / 4), k = threadIdx.x % (BK / 4) * 4;
#pragma unroll
  for (int l = 0; l < kLoadsA; ++l) {
    tiles.a[stage][k][row + l * kRowsA] = slice.a[l].x;
    tiles.a[stage][k + 1][row + l * kRowsA] = slice.a[l].y;
    tiles.a[stage][k + 2][row + l * kRowsA] = slice.a[l].z;
    tiles.a[stage][k + 3][row + l * kRowsA] = slice.a[l].w;
  }
#pragma unroll
  for (int l = 0; l < kLoadsB; ++l)
    *reinterpret_cast<float4*>(&tiles.b[stage][threadIdx.x / (BN / 4) + l * kRowsB][threadIdx.x % (BN / 4) * 4]) =
        slice.b[l];
}

struct Fragment {
  float a[TM], b[TN];
};

__device__ __forceinline__ void quad(float* to, const float* from) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}

__device__ __forceinline__ void read(Fragment& fragment, const Tiles& tiles, int stage, int k, int row, int column) {
#pragma unroll
  for (int q = 0; q < TM / 4; ++q) quad(&fragment.a[4 * q], &tiles.a[stage][k][row + q * 4 * LANE_ROWS]);
#pragma unroll
  for (int q = 0; q < TN / 4; ++q) quad(&fragment.b[4 * q], &tiles.b[stage][k][column + q * 4 * kLaneColumns]);
}

__global__ void __launch_bounds__(kThreads, RESIDENT)
    warp_tiles(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  __shared__ __align__(16) Tiles tiles;
  constexpr int kTilesN = N / BN, kGroup = GROUP < M / BM ? GROUP : M / BM;
  const int group = blockIdx.x / (kGroup * kTilesN), within = blockIdx.x % (kGroup * kTilesN);
  const int tile_m = group * kGroup + within % kGroup, tile_n = within / kGroup;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp / WARPS_N * (LANE_ROWS * TM) + lane / kLaneColumns * 4;
  const int column = warp % WARPS_N * (kLaneColumns * TN) + lane % kLaneColumns * 4;
  const float* from_a = a + (long long)(tile_m * BM + threadIdx.x / (BK / 4)) * K + threadIdx.x % (BK / 4) * 4;
  const float* from_b = b + (long long)(threadIdx.x / (BN / 4)) * N + tile_n * BN + threadIdx.x % (BN / 4) * 4;

  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  Slice slice;
  fetch(slice, from_a, from_b);
  store(slice, tiles, 0);
  __syncthreads();
  Fragment fragments[2];
  read(fragments[0], tiles, 0, 0, row, column);
  for (int k0 = 0, stage = 0; k0 < K; k0 += BK) {
    const bool more = k0 + BK < K;
    if (more) fetch(slice, from_a += BK, from_b += (long long)BK * N);
#pragma unroll
    for (int k = 0; k < BK; ++k) {
      if (k == BK - 1) {
        stage ^= 1;
        // Its fragments were last read before the barrier of the slice before.
        if (more) store(slice, tiles, stage);
        if (more) __syncthreads();
      }
      if (k < BK - 1 || more) read(fragments[(k + 1) % 2], tiles, stage, (k + 1) % BK, row, column);
      const Fragment& now = fragments[k % 2];
#pragma unroll
      for (int i = 0; i < TM; ++i) {
#pragma unroll
        for (int j = 0; j < TN; ++j) sum[i][j] += now.a[i] * now.b[j];
      }
    }
  }

  float* c_block = c + (long long)tile_m * BM * N + (long long)tile_n * BN;
#pragma unroll
  for (int i = 0; i < TM; ++i) {
    float* c_row = c_block + (long long)(row + i / 4 * 4 * LANE_ROWS + i % 4) * N + column;
#pragma unroll
    for (int q = 0; q < TN / 4; ++q)
      *reinterpret_cast<float4*>(c_row + q * 4 * kLaneColumns) =
          make_float4(sum[i][4 * q], sum[i][4 * q + 1], sum[i][4 * q + 2], sum[i][4 * q + 3]);
  }
}
