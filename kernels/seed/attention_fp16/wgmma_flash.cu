/*kevolve
{
  "idea": "Hopper's own pipeline for attention: one warp group asks the tensor memory accelerator for tiles of keys and values, two others hold 64 queries each and multiply with wgmma. The weights stay in registers as the second product's operand, and the softmax of one tile runs while the tensor cores multiply the next tile's keys and the last tile's values; with PINGPONG the two groups also take turns, so that one multiplies while the other exponentiates. Causal: tiles beyond the last query are skipped, and blocks with the most keys start first.",
  "tunables": { "BN": [128, 176], "STAGES": [2, 3], "PINGPONG": [1, 0], "PERSISTENT": [0, 1], "TOGETHER": [8, 4, 16, 64] },
  "constraints": ["HEAD_DIM == 128", "LENGTH % 8 == 0", "BATCH * HEADS % min(TOGETHER, BATCH * HEADS) == 0", "CAUSAL == 1 || TOGETHER == 8",
                  "1024 + 128 + 256 * 128 + 2 * STAGES * 256 * BN <= 227 * 1024"],
  "launches": [
    { "kernel": "wgmma_flash",
      "grid": ["min(BATCH * HEADS * ceil_div(LENGTH, 128), max(PERSISTENT * num_sms, (1 - PERSISTENT) * BATCH * HEADS * ceil_div(LENGTH, 128)))"],
      "block": [384], "shared_bytes": "1024 + 128 + 256 * 128 + 2 * STAGES * 256 * BN",
      "args": [
        { "tensor_map": { "tensor": "q", "dims": [64, "LENGTH", 2, "BATCH * HEADS"], "strides_bytes": [256, 128, "256 * LENGTH"],
                          "box": [64, 64, 1, 1], "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "k", "dims": [64, "LENGTH", 2, "BATCH * HEADS"], "strides_bytes": [256, 128, "256 * LENGTH"],
                          "box": [64, "BN", 2, 1], "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "v", "dims": [64, "LENGTH", 2, "BATCH * HEADS"], "strides_bytes": [256, 128, "256 * LENGTH"],
                          "box": [64, "BN", 2, 1], "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "out", "dims": [64, "LENGTH", 2, "BATCH * HEADS"], "strides_bytes": [256, 128, "256 * LENGTH"],
                          "box": [64, 64, 1, 1], "swizzle": "128B" } }
      ] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "HMMA in the binary on a Hopper GPU, or a tensor pipe far below its peak while warps exponentiate.",
    "requires": ["tensor_cores", "tma", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

// After FlashAttention-3 (Shah et al. 2024): its division of labour, tiles and overlap.
//
// A tile of rows (queries, keys, values) of 128 halves lies in shared memory as two pieces, of columns 0-63 and 64-127,
// each of rows of 128 bytes with TMA's 128-byte swizzle: in every 1024 bytes (8 rows) the 16-byte chunk c of row r lies
// at chunk c ^ r. All bases are multiples of 1024, so the descriptors' base offset is 0. A shared-memory descriptor is
//   bits  0-13  address >> 4
//   bits 16-29  leading byte offset >> 4
//   bits 32-45  stride byte offset >> 4
//   bits 62-63  1 for the 128-byte swizzle
// Queries and keys have the summed dimension (columns) innermost: the next 8 rows follow after 1024 bytes (stride), the
//   leading offset is not used, 16 columns are 32 bytes, and the columns from 64 on are in the next piece.
// Values are summed over rows and have the columns innermost, which the instruction transposes: the next 64 columns are in
//   the next piece (leading), the next 8 rows follow after 1024 bytes (stride), and 16 rows are 2048 bytes.
constexpr unsigned kRows = 128, kGroupRows = 64;  // queries of a block, of a warp group that multiplies
constexpr int kConsumers = 2;
constexpr unsigned kPiece = kRows * 128, kTilePiece = BN * 128;  // bytes; of queries, of keys or values
constexpr unsigned kQueryBytes = 2 * kPiece, kTileBytes = 2 * kTilePiece;
constexpr unsigned long long kDescriptor = 1ull << 62 | 1024ull / 16 << 32 | 1ull << 16;
constexpr unsigned long long kValueDescriptor = 1ull << 62 | 1024ull / 16 << 32 | kTilePiece / 16ull << 16;
constexpr int kBlocks = (LENGTH + kRows - 1) / kRows;  // of queries, of a head
constexpr int kHeads = BATCH * HEADS, kTogether = TOGETHER < kHeads ? TOGETHER : kHeads;

struct __align__(64) TensorMap {
  unsigned long long words[16];
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// Barriers. A barrier completes a phase when all expected arrivals and bytes are in; `parity` is that of the phase
// waited for, so waiting for parity 1 on a fresh barrier returns at once.
__device__ __forceinline__ void barrier_init(unsigned barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
__device__ __forceinline__ void barriers_ready() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void barrier_expect(unsigned barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
__device__ __forceinline__ void barrier_wait(unsigned barrier, unsigned parity) {
  unsigned done;
  do {
    asm volatile(
        "{\n .reg .pred p;\n mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n selp.b32 %0, 1, 0, p;\n}\n"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (done == 0);
}
__device__ __forceinline__ void barrier_arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
// Hardware barriers: 0 is __syncthreads' own.
__device__ __forceinline__ void named_sync(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
__device__ __forceinline__ void named_arrive(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

__device__ __forceinline__ void load_box(unsigned to, const TensorMap* map, int row, int piece, int head, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6];" ::"r"(
          to),
      "l"(map), "r"(0), "r"(row), "r"(piece), "r"(head), "r"(barrier)
      : "memory");
}
__device__ __forceinline__ void store_box(const TensorMap* map, int row, int piece, int head, unsigned from) {
  asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.bulk_group [%0, {%1, %2, %3, %4}], [%5];" ::"l"(map), "r"(0),
               "r"(row), "r"(piece), "r"(head), "r"(from)
               : "memory");
}
__device__ __forceinline__ void commit_stores() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
__device__ __forceinline__ void stores_have_read() {
  asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}
__device__ __forceinline__ void stores_done() {
  asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}
__device__ __forceinline__ void writes_before_stores() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

#define EIGHT(i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define THIRTY_TWO(i) EIGHT(i), EIGHT(i + 8), EIGHT(i + 16), EIGHT(i + 24)

// d (+)= 64 queries times BN keys, over 16 columns; both from shared memory.
__device__ __forceinline__ void multiply_keys(float (&d)[BN / 2], unsigned long long a, unsigned long long b, int add) {
#if BN == 176
  asm volatile(
      "{\n .reg .pred p;\n setp.ne.b32 p, %90, 0;\n"
      " wgmma.mma_async.sync.aligned.m64n176k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
      "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, "
      "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, "
      "%74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87}, "
      "%88, %89, p, 1, 1, 0, 0;\n}\n"
      : THIRTY_TWO(0), THIRTY_TWO(32), EIGHT(64), EIGHT(72), EIGHT(80)
      : "l"(a), "l"(b), "r"(add));
#else
  asm volatile(
      "{\n .reg .pred p;\n setp.ne.b32 p, %66, 0;\n"
      " wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
      "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, "
      "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, p, 1, 1, 0, 0;\n}\n"
      : THIRTY_TWO(0), THIRTY_TWO(32)
      : "l"(a), "l"(b), "r"(add));
#endif
}
// d += weights of 64 queries, in registers, times 16 values of 128 columns.
__device__ __forceinline__ void multiply_values(float (&d)[64], const unsigned* a, unsigned long long b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
      "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, "
      "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63}, "
      "{%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
      : THIRTY_TWO(0), THIRTY_TWO(32)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void begin_multiplying() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
// Orders registers against the asynchronous multiplications, for the compiler.
template <int kCount>
__device__ __forceinline__ void keep(float (&d)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(d[i])::"memory");
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
template <int kRegisters>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// A place in a ring: the stage, and the parity of how often the ring has come round.
struct Place {
  unsigned stage = 0, parity = 0;
  __device__ void next() {
    if (++stage == STAGES) {
      stage = 0;
      parity ^= 1;
    }
  }
};

// Which head and which queries: heads in groups that fit L2 together; in a group, blocks with the most keys first.
struct Work {
  int head, row, tiles;
};
__device__ __forceinline__ Work work_at(int index) {
  constexpr int kTiles = (LENGTH + BN - 1) / BN;
  const int group = index / (kTogether * kBlocks), inside = index % (kTogether * kBlocks);
  if (!CAUSAL) return Work{group * kTogether + inside / kBlocks, inside % kBlocks * (int)kRows, kTiles};
  const int block = kBlocks - 1 - inside / kTogether, needed = ((block + 1) * (int)kRows + BN - 1) / BN;
  return Work{group * kTogether + inside % kTogether, block * (int)kRows, needed < kTiles ? needed : kTiles};
}

// The 64 x BN scores of a warp group. Thread t of it holds, of every 8 keys j, the keys 2 * (t % 4) and + 1 of query
// t / 4 % 8 + 16 * (t / 32) in [4 * j] and + 1, and of the query 8 below in [4 * j + 2] and + 3: two such groups of 8
// keys, as pairs of halves, are the operand of 16 keys of weights * values. Queries' results lie alike.
struct Softmax {
  float largest[2], total[2], rescale[2];  // of both queries; `total` of this thread's keys only

  __device__ __forceinline__ void begin() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      largest[half] = -CUDART_INF_F;
      total[half] = 0.0f;
    }
  }
  // Scores become weights, 2^((score - largest) * scale).
  __device__ __forceinline__ void weigh(float (&score)[BN / 2]) {
    const float scale = 1.44269504f * 0.0883883476f;  // log2 e / sqrt(128)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float most = largest[half];
#pragma unroll
      for (int j = 0; j < BN / 8; ++j) most = fmaxf(most, fmaxf(score[4 * j + 2 * half], score[4 * j + 2 * half + 1]));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      const float centre = most == -CUDART_INF_F ? 0.0f : most * scale;  // of nothing but -Inf all weights are 0
      rescale[half] = exp2_fast(fmaf(largest[half], scale, -centre));
      largest[half] = most;
      float even = 0.0f, odd = 0.0f;
#pragma unroll
      for (int j = 0; j < BN / 8; ++j) {
        score[4 * j + 2 * half] = exp2_fast(fmaf(score[4 * j + 2 * half], scale, -centre));
        score[4 * j + 2 * half + 1] = exp2_fast(fmaf(score[4 * j + 2 * half + 1], scale, -centre));
        even += score[4 * j + 2 * half];
        odd += score[4 * j + 2 * half + 1];
      }
      total[half] = total[half] * rescale[half] + (even + odd);
    }
  }
};

// Hides keys beyond the sequence and, causal, beyond each query. `row`: the thread's first query.
__device__ __forceinline__ void hide(float (&score)[BN / 2], int first_key, int row) {
#pragma unroll
  for (int i = 0; i < BN / 2; ++i) {
    const int key = first_key + i / 4 * 8 + threadIdx.x % 4 * 2 + i % 2, query = row + i % 4 / 2 * 8;
    if (key >= LENGTH || (CAUSAL && key > query)) score[i] = -CUDART_INF_F;
  }
}

__device__ __forceinline__ void score_tile(float (&score)[BN / 2], unsigned queries, unsigned keys) {
  const unsigned long long a = kDescriptor | (queries & 0x3ffff) >> 4, b = kDescriptor | (keys & 0x3ffff) >> 4;
#pragma unroll
  for (int d = 0; d < HEAD_DIM / 16; ++d)
    multiply_keys(score, a + d / 4 * (kPiece / 16) + d % 4 * 2, b + d / 4 * (kTilePiece / 16) + d % 4 * 2, d);
  commit_products();
}
__device__ __forceinline__ void add_values(float (&sum)[64], const unsigned (&weights)[BN / 4], unsigned values) {
  const unsigned long long b = kValueDescriptor | (values & 0x3ffff) >> 4;
#pragma unroll
  for (int key = 0; key < BN / 16; ++key) multiply_values(sum, weights + 4 * key, b + key * (2048 / 16));
  commit_products();
}
__device__ __forceinline__ void pack(unsigned (&weights)[BN / 4], const float (&score)[BN / 2]) {
#pragma unroll
  for (int i = 0; i < BN / 4; ++i) weights[i] = pair_of(score[2 * i], score[2 * i + 1]);
}

__global__ void __launch_bounds__(384, 1)
    wgmma_flash(const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
                const __grid_constant__ TensorMap v_map, const __grid_constant__ TensorMap out_map) {
  extern __shared__ unsigned char dynamic[];
  const unsigned queries = (shared_address(dynamic) + 1023) / 1024 * 1024;
  const unsigned keys = queries + kQueryBytes, values = keys + STAGES * kTileBytes;  // rings
  const unsigned query_full = values + STAGES * kTileBytes, query_empty = query_full + 8;
  const unsigned key_full = query_full + 16, key_empty = key_full + 8 * STAGES;
  const unsigned value_full = key_empty + 8 * STAGES, value_empty = value_full + 8 * STAGES;
  const int group = threadIdx.x / 128;

  if (threadIdx.x == 0) {
    barrier_init(query_full, 1);
    barrier_init(query_empty, kConsumers);
    for (int i = 0; i < STAGES; ++i) {
      barrier_init(key_full + 8 * i, 1);                    // the producer, and the bytes
      barrier_init(key_empty + 8 * i, 4 * kConsumers);      // each warp that multiplies
      barrier_init(value_full + 8 * i, 1);
      barrier_init(value_empty + 8 * i, 4 * kConsumers);
    }
    barriers_ready();
  }
  __syncthreads();

  if (group == 0) {  // the producer: one thread asks for everything, in the order in which it is used
    give_registers<24>();
    if (threadIdx.x == 0) {
      Place key, value;
      unsigned parity = 0;
      for (int index = blockIdx.x; index < kHeads * kBlocks; index += gridDim.x, parity ^= 1) {
        const Work work = work_at(index);
        barrier_wait(query_empty, parity ^ 1);
        barrier_expect(query_full, kQueryBytes);
        for (int part = 0; part < 4; ++part)
          load_box(queries + part % 2 * kPiece + part / 2 * kGroupRows * 128, &q_map, work.row + part / 2 * (int)kGroupRows,
                   part % 2, work.head, query_full);
        for (int tile = 0; tile <= work.tiles; ++tile) {
          if (tile < work.tiles) {
            barrier_wait(key_empty + 8 * key.stage, key.parity ^ 1);
            barrier_expect(key_full + 8 * key.stage, kTileBytes);
            load_box(keys + key.stage * kTileBytes, &k_map, tile * BN, 0, work.head, key_full + 8 * key.stage);
            key.next();
          }
          if (tile > 0) {
            barrier_wait(value_empty + 8 * value.stage, value.parity ^ 1);
            barrier_expect(value_full + 8 * value.stage, kTileBytes);
            load_box(values + value.stage * kTileBytes, &v_map, (tile - 1) * BN, 0, work.head, value_full + 8 * value.stage);
            value.next();
          }
        }
      }
    }
    __syncwarp();
  } else {
    take_registers<240>();
    const int consumer = group - 1, thread = threadIdx.x % 128, warp = thread / 32, lane = thread % 32;
    const unsigned own_queries = queries + consumer * kGroupRows * 128;
    const int own_turn = 3 + consumer, other_turn = 4 - consumer;
    Place key, value;
    unsigned parity = 0;
    if (PINGPONG && consumer == 1) named_arrive(other_turn, 256);  // the first group begins
    for (int index = blockIdx.x; index < kHeads * kBlocks; index += gridDim.x, parity ^= 1) {
      const Work work = work_at(index);
      const int first = work.row + consumer * (int)kGroupRows;      // the group's first query
      const int row = first + warp * 16 + lane / 4;                 // and the thread's
      float score[BN / 2], sum[64];
      unsigned weights[BN / 4];
      Softmax softmax;
      softmax.begin();
#pragma unroll
      for (int i = 0; i < 64; ++i) sum[i] = 0.0f;

      barrier_wait(query_full, parity);
      barrier_wait(key_full + 8 * key.stage, key.parity);
      keep(score);
      begin_multiplying();
      score_tile(score, own_queries, keys + key.stage * kTileBytes);
      wait_for_products<0>();
      keep(score);
      if (lane == 0) barrier_arrive(key_empty + 8 * key.stage);
      key.next();
      if (BN > LENGTH || (CAUSAL && BN > first + 1)) hide(score, 0, row);
      softmax.weigh(score);
      pack(weights, score);

      for (int tile = 1; tile < work.tiles; ++tile) {
        barrier_wait(key_full + 8 * key.stage, key.parity);
        if (PINGPONG) named_sync(own_turn, 256);
        keep(score);
        keep(sum);
        begin_multiplying();
        score_tile(score, own_queries, keys + key.stage * kTileBytes);
        barrier_wait(value_full + 8 * value.stage, value.parity);
        add_values(sum, weights, values + value.stage * kTileBytes);
        if (PINGPONG) named_arrive(other_turn, 256);
        wait_for_products<1>();
        keep(score);
        if (lane == 0) barrier_arrive(key_empty + 8 * key.stage);
        key.next();
        if ((tile + 1) * BN > LENGTH || (CAUSAL && (tile + 1) * BN > first + 1)) hide(score, tile * BN, row);
        softmax.weigh(score);
        wait_for_products<0>();
        keep(sum);
        if (lane == 0) barrier_arrive(value_empty + 8 * value.stage);
        value.next();
#pragma unroll
        for (int i = 0; i < 64; ++i) sum[i] *= softmax.rescale[i % 4 / 2];
        pack(weights, score);
      }
      barrier_wait(value_full + 8 * value.stage, value.parity);
      keep(sum);
      begin_multiplying();
      add_values(sum, weights, values + value.stage * kTileBytes);
      wait_for_products<0>();
      keep(sum);
      if (lane == 0) barrier_arrive(value_empty + 8 * value.stage);
      value.next();

      // Out through the group's own queries in shared memory, swizzled as the tensor map expects it.
      float share[2];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float all = softmax.total[half];
        all += __shfl_xor_sync(0xffffffffu, all, 1);
        all += __shfl_xor_sync(0xffffffffu, all, 2);
        share[half] = all == 0.0f ? 0.0f : 1.0f / all;
      }
      named_sync(1 + consumer, 128);  // no warp of the group multiplies any more
#pragma unroll
      for (int j = 0; j < 16; ++j) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int r = warp * 16 + lane / 4 + 8 * half, chunk = j % 8 ^ r % 8;
          const __half2 two = __floats2half2_rn(sum[4 * j + 2 * half] * share[half], sum[4 * j + 2 * half + 1] * share[half]);
          const unsigned at = consumer * kGroupRows * 128 + j / 8 * kPiece + r * 128 + chunk * 16 + lane % 4 * 4;
          *reinterpret_cast<__half2*>(dynamic + (queries - shared_address(dynamic)) + at) = two;
        }
      }
      writes_before_stores();
      named_sync(1 + consumer, 128);
      if (thread == 0) {
        for (int piece = 0; piece < 2; ++piece) store_box(&out_map, first, piece, work.head, own_queries + piece * kPiece);
        commit_stores();
        stores_have_read();
        barrier_arrive(query_empty);
      }
    }
    if (PINGPONG && consumer == 0) named_sync(own_turn, 256);  // the other group's last arrival
    if (thread == 0) stores_done();  // shared memory must outlive the stores that read it
  }
}
