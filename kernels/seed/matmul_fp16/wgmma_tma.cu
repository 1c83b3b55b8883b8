/*kevolve
{
  "idea": "Hopper's own matrix pipeline: one warp group feeds a ring of shared-memory stages with the tensor memory accelerator, two others multiply with wgmma straight from shared memory and keep 64 x BN results a group in registers. Blocks stay resident and walk the tiles in an order that shares rows and columns in L2; blocks of a cluster fetch each piece of the operand that they share once for all of them. Results leave through shared memory and TMA stores.",
  "tunables": { "BM": [256, 128], "BN": [128, 256], "STAGES": [4, 3, 5, 6], "CLUSTER": [1, 2, 4], "SHARE_A": [0, 1],
                "GROUP": [8, 4, 16, 2], "SLABS": [2, 1, 0, 4] },
  "constraints": ["K % 8 == 0", "N % 64 == 0", "BM * BN <= 32768", "SHARE_A == 0 || CLUSTER > 1",
                  "SHARE_A == 1 || BN % (64 * CLUSTER) == 0",
                  "1152 + STAGES * 128 * (BM + BN) + 16384 * SLABS <= 227 * 1024"],
  "launches": [
    { "kernel": "wgmma_tma",
      "grid": ["CLUSTER * ceil_div(ceil_div(M, BM * max(1, CLUSTER * (1 - SHARE_A))) * ceil_div(N, BN * max(1, CLUSTER * SHARE_A)), ceil_div(ceil_div(M, BM * max(1, CLUSTER * (1 - SHARE_A))) * ceil_div(N, BN * max(1, CLUSTER * SHARE_A)), num_sms / CLUSTER))"],
      "block": [384], "cluster": ["CLUSTER"], "shared_bytes": "1152 + STAGES * 128 * (BM + BN) + 16384 * SLABS",
      "args": [
        { "tensor_map": { "tensor": "a", "dims": ["K", "M"], "strides_bytes": ["2 * K"], "box": [64, "BM / max(1, CLUSTER * SHARE_A)"],
                          "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "b", "dims": [64, "K", "N / 64"], "strides_bytes": ["2 * N", 128],
                          "box": [64, 64, "BN / 64 / max(1, CLUSTER * (1 - SHARE_A))"], "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "c", "dims": ["N", "M"], "strides_bytes": ["2 * N"], "box": [64, 64],
                          "swizzle": "128B" } },
        "c" ] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "HMMA in the binary on a Hopper GPU, or a tensor pipe far below its peak while warps wait for shared memory.",
    "requires": ["tensor_cores", "tma", "clusters", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>

// A stage of the ring holds 64 steps of K:
//   a: BM rows of 64 halves (128 bytes, K innermost), one TMA box.
//   b: BN / 64 pieces of 64 rows (k) by 64 columns (n innermost, 128 bytes), 8 KB each. Row-major b has n innermost,
//      what wgmma calls "MN-major": the instruction transposes it on the way (its last operand).
// Both are stored with TMA's 128-byte swizzle: in every 1024 bytes (8 rows of 128) the 16-byte chunk c of row r lies at
// chunk c ^ r. All bases are multiples of 1024, so the descriptors' base offset is 0.
//
// A shared-memory descriptor of wgmma is
//   bits  0-13  address >> 4
//   bits 16-29  leading byte offset >> 4
//   bits 32-45  stride byte offset >> 4
//   bits 62-63  1 for the 128-byte swizzle
// a (K innermost): 64 halves are one swizzle row, so nothing lies further along K within an instruction and the leading
//   offset is not used; the next 8 rows of M follow after 8 * 128 = 1024 bytes (stride). 16 steps of K are 32 bytes.
// b (N innermost): the next 64 columns are the next piece, 64 * 128 = 8192 bytes on (leading); the next 8 rows of K follow
//   after 1024 bytes (stride). 16 steps of K are 16 rows, 2048 bytes.
constexpr unsigned kStepK = 64;
constexpr unsigned kPieceBytes = 64 * 128;
constexpr unsigned kStageA = BM * 128, kStageB = BN * 128;
constexpr unsigned kStageBytes = kStageA + kStageB;
constexpr unsigned long long kDescriptorA = 1ull << 62 | 1024ull / 16 << 32 | 1ull << 16;
constexpr unsigned long long kDescriptorB = 1ull << 62 | 1024ull / 16 << 32 | 8192ull / 16 << 16;
constexpr unsigned kAdvanceA = 32 / 16, kAdvanceB = 2048 / 16;

constexpr int kConsumers = 2;                  // warp groups that multiply
constexpr int kRows = BM / kConsumers / 64;    // 64-row instructions of each for one step
constexpr int kSteps = (K + 63) / 64;
// The blocks of a cluster lie below each other and share b, or beside each other and share a. Each fetches one part of the
// shared operand for all, and the whole of its other.
constexpr int kDown = SHARE_A ? 1 : CLUSTER, kAcross = SHARE_A ? CLUSTER : 1;
constexpr int kFetchedA = BM / kAcross, kFetchedB = BN / 64 / kDown;  // rows of a, pieces of b
constexpr int kTilesM = (M + BM * kDown - 1) / (BM * kDown);          // of a cluster
constexpr int kTilesN = (N + BN * kAcross - 1) / (BN * kAcross);
constexpr unsigned short kAllBlocks = (1 << CLUSTER) - 1;

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
// Arrives at the same barrier of block `rank` of the cluster. What it releases are reads by wgmma, which are over by then,
// so the default scope (the block) does. With `.release.cluster` the compiler puts a fence of the whole GPU before each
// arrival: one for each warp and stage, and a third of the speed is gone.
__device__ __forceinline__ void barrier_arrive(unsigned barrier, unsigned rank) {
#if CLUSTER > 1
  asm volatile(
      "{\n .reg .b32 remote;\n mapa.shared::cluster.u32 remote, %0, %1;\n"
      " mbarrier.arrive.shared::cluster.b64 _, [remote];\n}\n" ::"r"(barrier),
      "r"(rank)
      : "memory");
#else
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
#endif
}
__device__ __forceinline__ void cluster_sync() {
#if CLUSTER > 1
  asm volatile("barrier.cluster.arrive.release;\n barrier.cluster.wait.acquire;" ::: "memory");
#else
  __syncthreads();
#endif
}
// A barrier of the 128 threads of one warp group; 0 is __syncthreads' own.
__device__ __forceinline__ void group_sync(int group) {
  asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
}

// Of the shared operand, the same bytes go to the same address in all blocks of the cluster, and count on the barrier of
// each.
__device__ __forceinline__ void load_a(unsigned to, const TensorMap* map, int k, int row, unsigned barrier) {
#if CLUSTER > 1 && SHARE_A
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%2, %3}], [%4], %5;" ::"r"(to),
      "l"(map), "r"(k), "r"(row), "r"(barrier), "h"(kAllBlocks)
      : "memory");
#else
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to),
      "l"(map), "r"(k), "r"(row), "r"(barrier)
      : "memory");
#endif
}
__device__ __forceinline__ void load_b(unsigned to, const TensorMap* map, int k, int piece, unsigned barrier) {
#if CLUSTER > 1 && !SHARE_A
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%2, %3, %4}], [%5], %6;" ::"r"(to),
      "l"(map), "r"(0), "r"(k), "r"(piece), "r"(barrier), "h"(kAllBlocks)
      : "memory");
#else
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to),
      "l"(map), "r"(0), "r"(k), "r"(piece), "r"(barrier)
      : "memory");
#endif
}
__device__ __forceinline__ void store_c(const TensorMap* map, int column, int row, unsigned from) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(map), "r"(column),
               "r"(row), "r"(from)
               : "memory");
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}

#define FOUR(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SIXTEEN(i) FOUR(i), FOUR(i + 4), FOUR(i + 8), FOUR(i + 12)
#define SIXTY_FOUR(i) SIXTEEN(i), SIXTEEN(i + 16), SIXTEEN(i + 32), SIXTEEN(i + 48)

// d (+)= 64 x 16 of a times 16 x BN of b; fp16 operands, fp32 sums. The last two operands: a as it is, b transposed.
__device__ __forceinline__ void multiply(float (&d)[BN / 2], unsigned long long a, unsigned long long b, int add) {
#if BN == 256
  asm volatile(
      "{\n .reg .pred p;\n setp.ne.b32 p, %130, 0;\n"
      " wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, p, 1, 1, 0, 1;\n}\n"
      : SIXTY_FOUR(0), SIXTY_FOUR(64)
      : "l"(a), "l"(b), "r"(add));
#else
  asm volatile(
      "{\n .reg .pred p;\n setp.ne.b32 p, %66, 0;\n"
      " wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, p, 1, 1, 0, 1;\n}\n"
      : SIXTY_FOUR(0)
      : "l"(a), "l"(b), "r"(add));
#endif
}
// Orders the accumulators' registers against the asynchronous multiplications, for the compiler.
__device__ __forceinline__ void keep(float (&d)[BN / 2]) {
#pragma unroll
  for (int i = 0; i < BN / 2; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

// The tiles in groups of GROUP rows of tiles, column by column: blocks at work at a time share few rows and columns.
struct Tile {
  int row, column;
};
__device__ __forceinline__ Tile tile_at(int index) {
  constexpr int kGroup = GROUP < kTilesM ? GROUP : kTilesM;
  const int first = index / (kGroup * kTilesN) * kGroup;
  const int rows = kTilesM - first < kGroup ? kTilesM - first : kGroup;
  const int inside = index - first * kTilesN;
  return Tile{first + inside % rows, inside / rows};
}

// A place in the ring: the stage, and the parity of how often the ring has come round.
struct Place {
  unsigned stage = 0, parity = 0;
  __device__ __forceinline__ void next() {
    if (++stage == STAGES) {
      stage = 0;
      parity ^= 1;
    }
  }
};

// Stores the 64 x BN results of a warp group whose first element is (row, column). Thread t of the group holds, of every
// 8 columns j, the columns 2 * (t % 4) and + 1 of rows t / 4 % 8 + 16 * (t / 32), d[4 * j] and + 1, and of the row 8
// below, d[4 * j + 2] and + 3.
__device__ __forceinline__ void store_tile(const float (&d)[BN / 2], const TensorMap* c_map, __half* c, int row, int column,
                                           unsigned slabs, int& slab, int group) {
  const int thread = threadIdx.x % 128, warp = thread / 32, lane = thread % 32;
#if SLABS > 0
  // One slab of 64 x 64 halves after the other, swizzled as the tensor map expects it.
#pragma unroll
  for (int s = 0; s < BN / 64; ++s) {
    const unsigned to = slabs + slab * kPieceBytes;
    if (++slab == SLABS) slab = 0;
    // The slab may be overwritten once the store before last (for two slabs) has read it.
    if (thread == 0) asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(SLABS > 0 ? SLABS - 1 : 0) : "memory");
    group_sync(group);
    // stmatrix stores four 8 x 8 matrices: lane l gives the address of row l % 8 of matrix l / 8. Matrices 0 and 1 are
    // the upper and lower half of 8 columns, 2 and 3 those of the next 8.
    const int stored_row = warp * 16 + lane % 16;
#pragma unroll
    for (int j = 0; j < 8; j += 2) {
      const int chunk = (j + lane / 16) ^ (stored_row % 8);
      unsigned packed[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const __half2 two = __floats2half2_rn(d[32 * s + 4 * j + 2 * i], d[32 * s + 4 * j + 2 * i + 1]);
        packed[i] = reinterpret_cast<const unsigned&>(two);
      }
      asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to + stored_row * 128 +
                                                                                          chunk * 16),
                   "r"(packed[0]), "r"(packed[1]), "r"(packed[2]), "r"(packed[3])
                   : "memory");
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");  // before TMA reads what was stored
    group_sync(group);
    if (thread == 0) store_c(c_map, column + 64 * s, row, to);  // TMA leaves out what lies beyond c
  }
#else
  const int first = row + warp * 16 + lane / 4;
#pragma unroll
  for (int j = 0; j < BN / 8; ++j) {
    const int at = column + 8 * j + lane % 4 * 2;
    if (at < N && first < M)
      *reinterpret_cast<__half2*>(c + (long long)first * N + at) = __floats2half2_rn(d[4 * j], d[4 * j + 1]);
    if (at < N && first + 8 < M)
      *reinterpret_cast<__half2*>(c + (long long)(first + 8) * N + at) = __floats2half2_rn(d[4 * j + 2], d[4 * j + 3]);
  }
#endif
}

__global__ void __launch_bounds__(384, 1)
    wgmma_tma(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map,
              const __grid_constant__ TensorMap c_map, __half* c) {
  extern __shared__ unsigned char dynamic[];
  const unsigned ring = (shared_address(dynamic) + 1023) / 1024 * 1024;
  const unsigned slabs = ring + STAGES * kStageBytes;
  const unsigned full = slabs + kConsumers * SLABS * kPieceBytes, empty = full + 8 * STAGES;  // barriers of each stage
  const int group = threadIdx.x / 128;
  const int rank = blockIdx.x % CLUSTER;
  const int down = rank % kDown, across = rank % kAcross;  // the block's place in its cluster
  const int first = blockIdx.x / CLUSTER, clusters = gridDim.x / CLUSTER;

  if (threadIdx.x == 0) {
    for (int i = 0; i < STAGES; ++i) {
      barrier_init(full + 8 * i, 1);                           // the producer, and the bytes
      barrier_init(empty + 8 * i, 4 * kConsumers * CLUSTER);   // each consuming warp of the cluster
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  cluster_sync();

  Place place;
  if (group == 0) {  // the producer: one thread asks for everything
    asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
    if (threadIdx.x == 0) {
      for (int index = first; index < kTilesM * kTilesN; index += clusters) {
        const Tile tile = tile_at(index);
        const int row = (tile.row * kDown + down) * BM + across * kFetchedA;
        const int piece = (tile.column * kAcross + across) * (BN / 64) + down * kFetchedB;
        for (int step = 0; step < kSteps; ++step, place.next()) {
          const unsigned to = ring + place.stage * kStageBytes;
          barrier_wait(empty + 8 * place.stage, place.parity ^ 1);
          barrier_expect(full + 8 * place.stage, kStageBytes);
          load_a(to + across * kFetchedA * 128, &a_map, step * kStepK, row, full + 8 * place.stage);
          load_b(to + kStageA + down * kFetchedB * kPieceBytes, &b_map, step * kStepK, piece, full + 8 * place.stage);
        }
      }
    }
    __syncwarp();
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
    const int consumer = group - 1, lane = threadIdx.x % 32;
    int slab = 0;
    float d[kRows][BN / 2];
    for (int index = first; index < kTilesM * kTilesN; index += clusters) {
#pragma unroll
      for (int r = 0; r < kRows; ++r) keep(d[r]);
      unsigned before = 0;
      for (int step = 0; step < kSteps; ++step, place.next()) {
        barrier_wait(full + 8 * place.stage, place.parity);
        const unsigned from = ring + place.stage * kStageBytes;
        const unsigned long long a = kDescriptorA | ((from + consumer * kRows * kPieceBytes) & 0x3ffff) >> 4;
        const unsigned long long b = kDescriptorB | ((from + kStageA) & 0x3ffff) >> 4;
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int k = 0; k < kStepK / 16; ++k) {
#pragma unroll
          for (int r = 0; r < kRows; ++r)
            multiply(d[r], a + r * (kPieceBytes / 16) + k * kAdvanceA, b + k * kAdvanceB, step + k);
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        // These multiplications run on; those of the stage before are done, so it may be filled again.
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
        if (step > 0 && lane < CLUSTER) barrier_arrive(empty + 8 * before, lane);
        before = place.stage;
      }
      asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
      for (int r = 0; r < kRows; ++r) keep(d[r]);
      if (lane < CLUSTER) barrier_arrive(empty + 8 * before, lane);
      const Tile tile = tile_at(index);
      const int row = (tile.row * kDown + down) * BM + consumer * kRows * 64;
      const int column = (tile.column * kAcross + across) * BN;
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        store_tile(d[r], &c_map, c, row + r * 64, column, slabs + consumer * SLABS * kPieceBytes, slab, group);
      }
    }
    // Shared memory must outlive the stores that read it.
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
  // Nor may a block leave while others of its cluster still write into it or arrive at its barriers.
  cluster_sync();
}
