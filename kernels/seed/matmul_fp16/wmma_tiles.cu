/*kevolve
{
  "idea": "Tensor cores through nvcuda::wmma: a block of WARPS_M x WARPS_N warps keeps a BM x BN tile of the product in fp32 fragments, while cp.async brings the next slices of a and b into a ring of STAGES shared-memory stages. Rows in shared memory are padded by 16 bytes against bank conflicts.",
  "tunables": { "BM": [128, 64, 256], "BN": [128, 64, 256], "BK": [32, 64], "STAGES": [4, 3, 2], "WARPS_M": [2, 4, 1], "WARPS_N": [4, 2, 1] },
  "constraints": ["M % BM == 0", "N % BN == 0", "K % BK == 0", "BM % (16 * WARPS_M) == 0", "BN % (16 * WARPS_N) == 0",
                  "(BM / WARPS_M) * (BN / WARPS_N) <= 64 * 64",
                  "2 * STAGES * (BM * (BK + 8) + BK * (BN + 8)) <= 227 * 1024",
                  "1280 * WARPS_M * WARPS_N <= 2 * STAGES * (BM * (BK + 8) + BK * (BN + 8))"],
  "launches": [
    { "kernel": "wmma_tiles", "grid": ["M / BM * (N / BN)"], "block": ["32 * WARPS_M * WARPS_N"],
      "shared_bytes": "2 * STAGES * (BM * (BK + 8) + BK * (BN + 8))", "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "FMA pipe high and tensor pipe at 0 %; FFMA in the binary and no HMMA.",
    "requires": ["tensor_cores", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>
#include <mma.h>

namespace wmma = nvcuda::wmma;

constexpr int kThreads = 32 * WARPS_M * WARPS_N;
constexpr int kRowsA = BK + 8, kRowsB = BN + 8;  // halves from one row to the next in shared memory
constexpr int kStage = BM * kRowsA + BK * kRowsB;
constexpr int kFragmentsM = BM / WARPS_M / 16, kFragmentsN = BN / WARPS_N / 16;
constexpr int kSteps = K / BK;
constexpr int kTilesM = M / BM, kTilesN = N / BN;
constexpr int kGroup = kTilesM < 8 ? kTilesM : 8;  // rows of tiles walked together, column by column: they share b in L2

// Asynchronous copies to shared memory, in groups that are waited for oldest first. (<cuda_pipeline.h> has templates over
// N, which is a macro here.)
__device__ __forceinline__ void copy_16_bytes(__half* to, const __half* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
               "l"(__cvta_generic_to_global(from))
               : "memory");
}
__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Starts the copies of one slice of K, 16 bytes each.
__device__ __forceinline__ void fetch(__half* stage, const __half* a_block, const __half* b_block, int step) {
  for (int i = threadIdx.x; i < BM * BK / 8; i += kThreads) {
    const int row = i / (BK / 8), k = i % (BK / 8) * 8;
    copy_16_bytes(stage + row * kRowsA + k, a_block + (long long)row * K + step * BK + k);
  }
  __half* b_stage = stage + BM * kRowsA;
  for (int i = threadIdx.x; i < BK * BN / 8; i += kThreads) {
    const int k = i / (BN / 8), column = i % (BN / 8) * 8;
    copy_16_bytes(b_stage + k * kRowsB + column, b_block + (long long)(step * BK + k) * N + column);
  }
}

__global__ void __launch_bounds__(kThreads)
    wmma_tiles(const __half* __restrict__ a, const __half* __restrict__ b, __half* __restrict__ c) {
  extern __shared__ __align__(128) unsigned char dynamic[];
  __half* ring = reinterpret_cast<__half*>(dynamic);
  const int warp = threadIdx.x / 32, warp_row = warp / WARPS_N * (BM / WARPS_M), warp_column = warp % WARPS_N * (BN / WARPS_N);
  const int group = blockIdx.x / (kGroup * kTilesN), inside = blockIdx.x % (kGroup * kTilesN);
  const int rows = min(kGroup, kTilesM - group * kGroup);
  const int row = (group * kGroup + inside % rows) * BM, column = inside / rows * BN;
  const __half* a_block = a + (long long)row * K;
  const __half* b_block = b + column;

  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum[kFragmentsM][kFragmentsN];
#pragma unroll
  for (int i = 0; i < kFragmentsM; ++i) {
#pragma unroll
    for (int j = 0; j < kFragmentsN; ++j) wmma::fill_fragment(sum[i][j], 0.0f);
  }
  for (int step = 0; step < STAGES - 1; ++step) {
    if (step < kSteps) fetch(ring + step * kStage, a_block, b_block, step);
    commit_copies();
  }
  for (int step = 0; step < kSteps; ++step) {
    wait_for_copies<STAGES - 2>();
    __syncthreads();  // this slice has arrived for all, and all are done with the one before
    const int ahead = step + STAGES - 1;
    if (ahead < kSteps) fetch(ring + ahead % STAGES * kStage, a_block, b_block, ahead);
    commit_copies();
    const __half* a_stage = ring + step % STAGES * kStage + warp_row * kRowsA;
    const __half* b_stage = ring + step % STAGES * kStage + BM * kRowsA + warp_column;
#pragma unroll
    for (int k = 0; k < BK; k += 16) {
      wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a_part[kFragmentsM];
#pragma unroll
      for (int i = 0; i < kFragmentsM; ++i) wmma::load_matrix_sync(a_part[i], a_stage + i * 16 * kRowsA + k, kRowsA);
#pragma unroll
      for (int j = 0; j < kFragmentsN; ++j) {
        // One fragment of b at a time: with all of them 64 x 64 a warp does not fit the registers.
        wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> b_part;
        wmma::load_matrix_sync(b_part, b_stage + k * kRowsB + j * 16, kRowsB);
#pragma unroll
        for (int i = 0; i < kFragmentsM; ++i) wmma::mma_sync(sum[i][j], a_part[i], b_part, sum[i][j]);
      }
    }
  }
  // Which thread holds which element of a fragment is not specified: each warp passes its fragments through 16 rows of
  // 20 floats of its own, in the ring, which is free by now.
  wait_for_copies<0>();
  __syncthreads();
  float* corner = reinterpret_cast<float*>(dynamic) + warp * 16 * 20;
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < kFragmentsM; ++i) {
#pragma unroll
    for (int j = 0; j < kFragmentsN; ++j) {
      wmma::store_matrix_sync(corner, sum[i][j], 20, wmma::mem_row_major);
      __syncwarp();
      const float* from = corner + lane / 2 * 20 + lane % 2 * 8;
      __align__(16) __half2 out[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) out[e] = __floats2half2_rn(from[2 * e], from[2 * e + 1]);
      __half* to = c + (long long)(row + warp_row + i * 16 + lane / 2) * N + column + warp_column + j * 16 + lane % 2 * 8;
      *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(out);
      __syncwarp();
    }
  }
}
