/*kevolve
{
  "idea": "Tensor cores (mma.sync) with everything between the two products in registers: a warp holds 16 or 32 queries with all their columns of the result, the accumulators of q k are the weights' operand of the next product as they lie, and exponentials are powers of two with the scale folded into one multiply-add. cp.async brings tiles of keys and values into a ring of STAGES stages while earlier ones are worked on. Causal: tiles beyond the last query are never fetched, and blocks with the most keys start first.",
  "tunables": { "WARPS": [4, 8], "FRAGMENTS": [2, 1], "BN": [32, 64, 128], "STAGES": [2, 3], "TOGETHER": [8, 4, 16, 64] },
  "constraints": ["HEAD_DIM % 16 == 0", "HEAD_DIM <= 256", "LENGTH % (16 * FRAGMENTS * WARPS) == 0", "LENGTH % BN == 0",
                  "FRAGMENTS * (HEAD_DIM + BN) <= 384", "BATCH * HEADS % min(TOGETHER, BATCH * HEADS) == 0", "CAUSAL == 1 || TOGETHER == 8",
                  "2 * (HEAD_DIM + 8) * (16 * FRAGMENTS * WARPS + 2 * STAGES * BN) <= 227 * 1024"],
  "launches": [
    { "kernel": "mma_flash", "grid": ["BATCH * HEADS * (LENGTH / (16 * FRAGMENTS * WARPS))"], "block": ["32 * WARPS"],
      "shared_bytes": "2 * (HEAD_DIM + 8) * (16 * FRAGMENTS * WARPS + 2 * STAGES * BN)", "args": ["q", "k", "v", "out"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "FMA pipe high and tensor pipe at 0 %; FFMA in the binary and no HMMA; scores or weights that go through shared memory.",
    "requires": ["tensor_cores", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

// Fragments of mma.m16n8k16, for lane l with g = l / 4 and t = l % 4:
//   a (16 x 16): pairs (row g, columns 2t, 2t + 1), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8)
//   b (16 x 8):  pairs (rows 2t, 2t + 1, column g), (rows 2t + 8, 2t + 9, column g)
//   c (16 x 8):  (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1)
// So the c of two neighbouring 8-key tiles of q k, as pairs of halves, are the a of 16 keys of weights * v.
constexpr int kThreads = 32 * WARPS, kWarpRows = 16 * FRAGMENTS, kRows = WARPS * kWarpRows;
constexpr int kStride = HEAD_DIM + 8;  // halves from one row to the next in shared memory: eight rows in eight groups of banks
constexpr int kTile = BN * kStride;
constexpr int kKeyTiles = BN / 8, kColumnTiles = HEAD_DIM / 8;  // of 8
constexpr int kHeads = BATCH * HEADS, kTogether = TOGETHER < kHeads ? TOGETHER : kHeads;

struct Fragment {
  unsigned pairs[4];
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}
__device__ __forceinline__ void copy_16_bytes(unsigned to, const __half* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(__cvta_generic_to_global(from)) : "memory");
}
__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
// Four 8 x 8 matrices of halves; lane l gives the address of row l % 8 of matrix l / 8, and gets of each matrix the pair
// (row l / 4, columns 2 (l % 4) and + 1), or transposed.
__device__ __forceinline__ Fragment load(unsigned from) {
  Fragment f;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(f.pairs[0]), "=r"(f.pairs[1]), "=r"(f.pairs[2]), "=r"(f.pairs[3])
               : "r"(from)
               : "memory");
  return f;
}
__device__ __forceinline__ Fragment load_transposed(unsigned from) {
  Fragment f;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(f.pairs[0]), "=r"(f.pairs[1]), "=r"(f.pairs[2]), "=r"(f.pairs[3])
               : "r"(from)
               : "memory");
  return f;
}
__device__ __forceinline__ void multiply(float (&c)[4], const Fragment& a, unsigned b0, unsigned b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a.pairs[0]), "r"(a.pairs[1]), "r"(a.pairs[2]), "r"(a.pairs[3]), "r"(b0), "r"(b1));
}
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ unsigned pair_of(float low, float high) {
  const __half2 two = __floats2half2_rn(low, high);
  return reinterpret_cast<const unsigned&>(two);
}

// Starts copies of kCopied rows of HEAD_DIM halves.
template <int kCopied>
__device__ __forceinline__ void fetch(unsigned to, const __half* from) {
#pragma unroll
  for (int i = threadIdx.x; i < kCopied * HEAD_DIM / 8; i += kThreads) {
    const int row = i / (HEAD_DIM / 8), chunk = i % (HEAD_DIM / 8);
    copy_16_bytes(to + 2 * (row * kStride + 8 * chunk), from + 8 * i);
  }
}

// Which head and which queries: heads in groups that fit L2 together; in a group, tiles with the most keys first.
struct Place {
  int head, row;
};
__device__ __forceinline__ Place place_of(int index) {
  constexpr int kTiles = LENGTH / kRows;
  const int group = index / (kTogether * kTiles), inside = index % (kTogether * kTiles);
  if (CAUSAL) return Place{group * kTogether + inside % kTogether, (kTiles - 1 - inside / kTogether) * kRows};
  return Place{group * kTogether + inside / kTiles, inside % kTiles * kRows};
}

__global__ void __launch_bounds__(kThreads)
    mma_flash(const __half* __restrict__ q, const __half* __restrict__ k, const __half* __restrict__ v,
              __half* __restrict__ out) {
  extern __shared__ __align__(128) unsigned char dynamic[];
  const unsigned queries = shared_address(dynamic);
  const unsigned ring = queries + 2 * kRows * kStride;  // stages of a tile of keys, then one of values
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const Place place = place_of(blockIdx.x);
  const long long head = (long long)place.head * LENGTH * HEAD_DIM;
  const __half* keys = k + head;
  const __half* values = v + head;
  const int row = place.row + warp * kWarpRows;  // the warp's first query
  const int tiles = CAUSAL ? (place.row + kRows + BN - 1) / BN : LENGTH / BN;
  const float scale = 1.44269504f / sqrtf(static_cast<float>(HEAD_DIM));  // weights are 2 to the power of score * scale

  fetch<kRows>(queries, q + head + (long long)place.row * HEAD_DIM);
#pragma unroll
  for (int tile = 0; tile < STAGES - 1; ++tile) {
    const unsigned stage = ring + tile * 4 * kTile;
    if (tile < tiles) fetch<BN>(stage, keys + tile * BN * HEAD_DIM);
    commit_copies();
    if (tile < tiles) fetch<BN>(stage + 2 * kTile, values + tile * BN * HEAD_DIM);
    commit_copies();
  }

  float sum[FRAGMENTS][kColumnTiles][4];
  float largest[FRAGMENTS][2], total[FRAGMENTS][2];  // of rows g and g + 8; `total` of this thread's keys only
#pragma unroll
  for (int m = 0; m < FRAGMENTS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      largest[m][half] = -CUDART_INF_F;
      total[m][half] = 0.0f;
    }
#pragma unroll
    for (int j = 0; j < kColumnTiles; ++j) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[m][j][i] = 0.0f;
    }
  }
  // Where this lane's rows of the matrices begin: of a and of v by 16 rows, of keys 8 keys and both halves of 16 columns.
  const unsigned own_query = queries + 2 * ((warp * kWarpRows + lane % 16) * kStride + lane / 16 * 8);
  const unsigned own_key = 2 * ((lane / 16 * 8 + lane % 8) * kStride + lane / 8 % 2 * 8);
  const unsigned own_value = 2 * (lane % 16 * kStride + lane / 16 * 8);

  for (int tile = 0; tile < tiles; ++tile) {
    wait_for_copies<2 * (STAGES - 2) + 1>();
    __syncthreads();  // these keys have arrived for all, and all are done with the tile before
    const int ahead = tile + STAGES - 1;
    const unsigned next = ring + ahead % STAGES * 4 * kTile;
    if (ahead < tiles) fetch<BN>(next, keys + ahead * BN * HEAD_DIM);
    commit_copies();
    if (ahead < tiles) fetch<BN>(next + 2 * kTile, values + ahead * BN * HEAD_DIM);
    commit_copies();
    const unsigned stage = ring + tile % STAGES * 4 * kTile;

    float score[FRAGMENTS][kKeyTiles][4];
#pragma unroll
    for (int m = 0; m < FRAGMENTS; ++m) {
#pragma unroll
      for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
        for (int i = 0; i < 4; ++i) score[m][j][i] = 0.0f;
      }
    }
#pragma unroll
    for (int d = 0; d < HEAD_DIM; d += 16) {
      Fragment query[FRAGMENTS];
#pragma unroll
      for (int m = 0; m < FRAGMENTS; ++m) query[m] = load(own_query + 2 * (m * 16 * kStride + d));
#pragma unroll
      for (int j = 0; j < kKeyTiles; j += 2) {
        const Fragment two = load(stage + own_key + 2 * (j * 8 * kStride + d));
#pragma unroll
        for (int m = 0; m < FRAGMENTS; ++m) {
          multiply(score[m][j], query[m], two.pairs[0], two.pairs[1]);
          multiply(score[m][j + 1], query[m], two.pairs[2], two.pairs[3]);
        }
      }
    }

#pragma unroll
    for (int m = 0; m < FRAGMENTS; ++m) {
      if (CAUSAL && (tile + 1) * BN > row + 16 * m + 1) {  // the fragment's first query does not see all of these keys
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const int key = tile * BN + j * 8 + lane % 4 * 2 + i % 2, query = row + 16 * m + lane / 4 + i / 2 * 8;
            if (key > query) score[m][j][i] = -CUDART_INF_F;
          }
        }
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float most = largest[m][half];
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) most = fmaxf(most, fmaxf(score[m][j][2 * half], score[m][j][2 * half + 1]));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
        const float centre = most == -CUDART_INF_F ? 0.0f : most * scale;  // of nothing but -Inf all weights are 0
        const float rescale = exp2_fast(fmaf(largest[m][half], scale, -centre));
        largest[m][half] = most;
        float added = 0.0f;
#pragma unroll
        for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; ++i) {
            score[m][j][i] = exp2_fast(fmaf(score[m][j][i], scale, -centre));
            added += score[m][j][i];
          }
        }
        total[m][half] = total[m][half] * rescale + added;
#pragma unroll
        for (int j = 0; j < kColumnTiles; ++j) {
          sum[m][j][2 * half] *= rescale;
          sum[m][j][2 * half + 1] *= rescale;
        }
      }
    }

    wait_for_copies<2 * (STAGES - 1)>();
    __syncthreads();  // the values have arrived for all
#pragma unroll
    for (int key = 0; key < BN; key += 16) {
      Fragment weight[FRAGMENTS];
#pragma unroll
      for (int m = 0; m < FRAGMENTS; ++m) {
        const float(&left)[4] = score[m][key / 8];
        const float(&right)[4] = score[m][key / 8 + 1];
        weight[m] = Fragment{{pair_of(left[0], left[1]), pair_of(left[2], left[3]), pair_of(right[0], right[1]),
                              pair_of(right[2], right[3])}};
      }
#pragma unroll
      for (int j = 0; j < kColumnTiles; j += 2) {
        const Fragment two = load_transposed(stage + 2 * kTile + own_value + 2 * (key * kStride + j * 8));
#pragma unroll
        for (int m = 0; m < FRAGMENTS; ++m) {
          multiply(sum[m][j], weight[m], two.pairs[0], two.pairs[1]);
          multiply(sum[m][j + 1], weight[m], two.pairs[2], two.pairs[3]);
        }
      }
    }
  }

  // Through the warp's own queries in shared memory, which nobody reads any more, to whole rows of 16-byte stores.
  __half* own = reinterpret_cast<__half*>(dynamic) + warp * kWarpRows * kStride;
  __syncwarp();
#pragma unroll
  for (int m = 0; m < FRAGMENTS; ++m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float all = total[m][half];
      all += __shfl_xor_sync(0xffffffffu, all, 1);
      all += __shfl_xor_sync(0xffffffffu, all, 2);
      const float share = all == 0.0f ? 0.0f : 1.0f / all;
#pragma unroll
      for (int j = 0; j < kColumnTiles; ++j) {
        *reinterpret_cast<__half2*>(own + (16 * m + lane / 4 + 8 * half) * kStride + j * 8 + lane % 4 * 2) =
            __floats2half2_rn(sum[m][j][2 * half] * share, sum[m][j][2 * half + 1] * share);
      }
    }
  }
  __syncwarp();
#pragma unroll
  for (int i = lane; i < kWarpRows * HEAD_DIM / 8; i += 32) {
    const int r = i / (HEAD_DIM / 8), chunk = i % (HEAD_DIM / 8);
    *reinterpret_cast<uint4*>(out + head + (long long)(row + r) * HEAD_DIM + 8 * chunk) =
        *reinterpret_cast<const uint4*>(own + r * kStride + 8 * chunk);
  }
}
