/*kevolve
{
  "idea": "Heads too wide for their result to stay in registers, but short enough for all weights of 128 queries to stay in shared memory: two matrix products after each other in one block. First the scores, 256 keys at a time, with queries and keys streamed along HEAD_DIM; the weights stay on chip as halves, put on one scale when the last keys have been seen. Then the result, 256 columns at a time, with values streamed along the keys. One warp group feeds both with the tensor memory accelerator, two multiply with wgmma; blocks of a cluster fetch the keys and values that they share once for all of them.",
  "tunables": { "CLUSTER": [1, 2, 4] },
  "constraints": ["CAUSAL == 0", "LENGTH % 256 == 0", "LENGTH <= 512", "HEAD_DIM % 256 == 0", "LENGTH / 128 % CLUSTER == 0"],
  "launches": [
    { "kernel": "wide_heads", "grid": ["BATCH * HEADS * LENGTH / 128"], "block": [384], "cluster": ["CLUSTER"],
      "shared_bytes": "1024 + 128 + 256 * LENGTH + 2 * 49152",
      "args": [
        { "tensor_map": { "tensor": "q", "dims": [64, "LENGTH", "HEAD_DIM / 64", "BATCH * HEADS"],
                          "strides_bytes": ["2 * HEAD_DIM", 128, "2 * HEAD_DIM * LENGTH"], "box": [64, 128, 1, 1], "swizzle": "128B",
                          "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "k", "dims": [64, "LENGTH", "HEAD_DIM / 64", "BATCH * HEADS"],
                          "strides_bytes": ["2 * HEAD_DIM", 128, "2 * HEAD_DIM * LENGTH"], "box": [64, "256 / CLUSTER", 1, 1],
                          "swizzle": "128B", "l2_promotion": "256B" } },
        { "tensor_map": { "tensor": "v", "dims": [64, "LENGTH", "HEAD_DIM / 64", "BATCH * HEADS"],
                          "strides_bytes": ["2 * HEAD_DIM", 128, "2 * HEAD_DIM * LENGTH"], "box": [64, 64, "4 / CLUSTER", 1],
                          "swizzle": "128B", "l2_promotion": "256B" } },
        "out" ] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "HEAD_DIM above 256: scores or weights written to memory and read again, or accumulators spilled to local memory.",
    "requires": ["tensor_cores", "tma", "clusters", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

// Tiles lie in shared memory as pieces of rows of 64 halves (128 bytes) with TMA's 128-byte swizzle: in every 1024 bytes
// (8 rows) the 16-byte chunk c of row r lies at chunk c ^ r. All bases are multiples of 1024, so the descriptors' base
// offset is 0. A shared-memory descriptor of wgmma is
//   bits  0-13  address >> 4
//   bits 16-29  leading byte offset >> 4
//   bits 32-45  stride byte offset >> 4
//   bits 62-63  1 for the 128-byte swizzle
// Queries, keys and weights have the summed dimension innermost: the next 8 rows follow after 1024 bytes (stride), the
//   leading offset is not used, and 16 columns are 32 bytes.
// Values are summed over rows, which the instruction transposes: the next 64 columns are the next piece of 64 rows, 8192
//   bytes on (leading), the next 8 rows follow after 1024 bytes (stride), and 16 rows are 2048 bytes.
constexpr int kRows = 128, kStages = 2, kConsumers = 2;
constexpr unsigned kPiece = kRows * 128;                    // of queries or weights, bytes
constexpr unsigned kScoreBytes = kPiece + 256 * 128;        // a stage of queries and keys, 64 columns
constexpr unsigned kValueBytes = 4 * 64 * 128;              // a stage of 64 values, 256 columns
constexpr unsigned long long kDescriptor = 1ull << 62 | 1024ull / 16 << 32 | 1ull << 16;
constexpr unsigned long long kValueDescriptor = 1ull << 62 | 1024ull / 16 << 32 | 8192ull / 16 << 16;
constexpr int kParts = LENGTH / 256;                        // of the keys, scored one after the other
constexpr int kScoreSteps = HEAD_DIM / 64, kSlices = HEAD_DIM / 256, kValueSteps = LENGTH / 64;
constexpr int kBlocks = LENGTH / kRows;                     // of queries, of a head
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
// Arrives at the same barrier of block `rank` of the cluster. What it releases are reads by wgmma, which are over by then,
// so the default scope (the block) does.
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

__device__ __forceinline__ void load_own(unsigned to, const TensorMap* map, int row, int piece, int head, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6];" ::"r"(
          to),
      "l"(map), "r"(0), "r"(row), "r"(piece), "r"(head), "r"(barrier)
      : "memory");
}
// The same bytes go to the same address in all blocks of the cluster, and count on the barrier of each.
__device__ __forceinline__ void load_shared(unsigned to, const TensorMap* map, int row, int piece, int head,
                                            unsigned barrier) {
#if CLUSTER > 1
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%2, %3, %4, %5}], [%6], %7;" ::"r"(to),
      "l"(map), "r"(0), "r"(row), "r"(piece), "r"(head), "r"(barrier), "h"(kAllBlocks)
      : "memory");
#else
  load_own(to, map, row, piece, head, barrier);
#endif
}
__device__ __forceinline__ void writes_before_products() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

#define EIGHT(i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define THIRTY_TWO(i) EIGHT(i), EIGHT(i + 8), EIGHT(i + 16), EIGHT(i + 24)

// d (+)= 64 x 16 of a times 16 x 256 of b, fp16 operands, fp32 sums.
template <int kTransposed>
__device__ __forceinline__ void multiply(float (&d)[128], unsigned long long a, unsigned long long b, int add) {
  asm volatile(
      "{\n .reg .pred p;\n setp.ne.b32 p, %130, 0;\n"
      " wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, "
      "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, "
      "%38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, "
      "%74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, "
      "%92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, "
      "%108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, "
      "%123, %124, %125, %126, %127}, "
      "%128, %129, p, 1, 1, 0, %131;\n}\n"
      : THIRTY_TWO(0), THIRTY_TWO(32), THIRTY_TWO(64), THIRTY_TWO(96)
      : "l"(a), "l"(b), "r"(add), "n"(kTransposed));
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
// Orders the accumulators' registers against the asynchronous multiplications, for the compiler.
__device__ __forceinline__ void keep(float (&d)[128]) {
#pragma unroll
  for (int i = 0; i < 128; ++i) asm volatile("" : "+f"(d[i])::"memory");
}
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
template <int kRegisters>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// The ring: a stage, the parity of how often the ring has come round, and the stage before, to be released.
struct Ring {
  unsigned first, full, empty;
  unsigned stage = 0, parity = 0;

  __device__ __forceinline__ unsigned data() const { return first + stage * kScoreBytes; }
  __device__ __forceinline__ unsigned filled() const { return full + 8 * stage; }
  __device__ __forceinline__ unsigned emptied() const { return empty + 8 * stage; }
  __device__ __forceinline__ void next() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

// Adds up the products of `kSteps` stages; `a_step` and `b_step` in units of descriptors, from one 16 of the summed
// dimension to the next; `a` of a step lies in the stage when `a_piece` is 0, else `a_piece` after that of the step before.
template <int kSteps, int kTransposed>
__device__ __forceinline__ void product(float (&d)[128], Ring& ring, unsigned a_first, unsigned a_piece, unsigned b_first,
                                        unsigned b_step) {
  const int lane = threadIdx.x % 32;
  unsigned before = 0;
  keep(d);
  for (int step = 0; step < kSteps; ++step) {
    barrier_wait(ring.filled(), ring.parity);
    const unsigned a_at = a_piece == 0 ? ring.data() + a_first : a_first + step * a_piece;
    const unsigned long long a = kDescriptor | (a_at & 0x3ffff) >> 4;
    const unsigned long long b =
        (kTransposed ? kValueDescriptor : kDescriptor) | ((ring.data() + b_first) & 0x3ffff) >> 4;
    begin_multiplying();
#pragma unroll
    for (int i = 0; i < 4; ++i) multiply<kTransposed>(d, a + i * 2, b + i * b_step, step + i);
    commit_products();
    // These multiplications run on; those of the stage before are done, so it may be filled again.
    wait_for_products<1>();
    if (step > 0 && lane < CLUSTER) barrier_arrive(before, lane);
    before = ring.emptied();
    ring.next();
  }
  wait_for_products<0>();
  keep(d);
  if (lane < CLUSTER) barrier_arrive(before, lane);
}

__global__ void __launch_bounds__(384, 1)
    wide_heads(const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
               const __grid_constant__ TensorMap v_map, __half* out) {
  extern __shared__ unsigned char dynamic[];
  const unsigned weights = (shared_address(dynamic) + 1023) / 1024 * 1024;
  Ring ring;
  ring.first = weights + LENGTH / 64 * kPiece;
  ring.full = ring.first + kStages * kScoreBytes;
  ring.empty = ring.full + 8 * kStages;
  const int group = threadIdx.x / 128;
  const int head = blockIdx.x / kBlocks, row = blockIdx.x % kBlocks * kRows;
  const int rank = blockIdx.x % CLUSTER;

  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      barrier_init(ring.full + 8 * i, 1);                          // the producer, and the bytes
      barrier_init(ring.empty + 8 * i, 4 * kConsumers * CLUSTER);  // each multiplying warp of the cluster
    }
    barriers_ready();
  }
  cluster_sync();

  if (group == 0) {  // the producer: one thread asks for everything
    give_registers<24>();
    if (threadIdx.x == 0) {
      for (int step = 0; step < kParts * kScoreSteps; ++step, ring.next()) {
        const int key = step / kScoreSteps * 256, piece = step % kScoreSteps;
        barrier_wait(ring.emptied(), ring.parity ^ 1);
        barrier_expect(ring.filled(), kScoreBytes);
        load_own(ring.data(), &q_map, row, piece, head, ring.filled());
        load_shared(ring.data() + kPiece + rank * (256 / CLUSTER) * 128, &k_map, key + rank * (256 / CLUSTER), piece, head,
                    ring.filled());
      }
      for (int step = 0; step < kSlices * kValueSteps; ++step, ring.next()) {
        const int piece = step / kValueSteps * 4, key = step % kValueSteps * 64;
        barrier_wait(ring.emptied(), ring.parity ^ 1);
        barrier_expect(ring.filled(), kValueBytes);
        load_shared(ring.data() + rank * (4 / CLUSTER) * 8192, &v_map, key, piece + rank * (4 / CLUSTER), head,
                    ring.filled());
      }
    }
    __syncwarp();
  } else {
    take_registers<240>();
    const int consumer = group - 1, thread = threadIdx.x % 128, warp = thread / 32, lane = thread % 32;
    const unsigned own_rows = consumer * 64 * 128;  // in a piece of queries or weights
    // Thread t of a group holds, of every 8 columns j, the columns 2 * (t % 4) and + 1 of row t / 4 % 8 + 16 * (t / 32)
    // in d[4 * j] and + 1, and of the row 8 below in d[4 * j + 2] and + 3.
    unsigned char* own_weights = dynamic + (weights - shared_address(dynamic)) + own_rows;
    const auto pair_at = [&](int part, int j, int half) {
      const int r = warp * 16 + lane / 4 + 8 * half;
      return reinterpret_cast<__half2*>(own_weights + (part * 4 + j / 8) * kPiece + r * 128 + (j % 8 ^ r % 8) * 16 +
                                        lane % 4 * 4);
    };
    const float scale = 1.44269504f / sqrtf(static_cast<float>(HEAD_DIM));  // weights are 2^(score * scale - centre)
    // Whole, so that weights change scale by a power of two and are rounded to halves once. The largest weights lie
    // just below 2^15, so that small ones are no denormals.
    const auto centre_of = [&](float most) {
      return most == -CUDART_INF_F ? 0.0f : ceilf(most * scale) - 15.0f;  // of nothing but -Inf all weights are 0
    };
    float d[128], largest[kParts][2], total[kParts][2], share[2];
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      product<kScoreSteps, 0>(d, ring, own_rows, 0, kPiece, 2);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float most = d[2 * half];
#pragma unroll
        for (int j = 0; j < 32; ++j) most = fmaxf(most, fmaxf(d[4 * j + 2 * half], d[4 * j + 2 * half + 1]));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
        most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
        const float centre = centre_of(most);
        float all = 0.0f;
#pragma unroll
        for (int j = 0; j < 32; ++j) {
          const float left = exp2_fast(fmaf(d[4 * j + 2 * half], scale, -centre));
          const float right = exp2_fast(fmaf(d[4 * j + 2 * half + 1], scale, -centre));
          all += left + right;
          *pair_at(part, j, half) = __floats2half2_rn(left, right);
        }
        all += __shfl_xor_sync(0xffffffffu, all, 1);
        all += __shfl_xor_sync(0xffffffffu, all, 2);
        largest[part][half] = most;
        total[part][half] = all;
      }
    }
    // All parts on one scale, that of the largest score.
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float most = largest[0][half], all = 0.0f;
#pragma unroll
      for (int part = 1; part < kParts; ++part) most = fmaxf(most, largest[part][half]);
#pragma unroll
      for (int part = 0; part < kParts; ++part) {
        const float rescale = largest[part][half] == -CUDART_INF_F
                                  ? 0.0f
                                  : exp2_fast(centre_of(largest[part][half]) - centre_of(most));
        all += rescale * total[part][half];
        if (rescale == 1.0f) continue;
#pragma unroll
        for (int j = 0; j < 32; ++j) {
          const float2 two = __half22float2(*pair_at(part, j, half));
          *pair_at(part, j, half) = __floats2half2_rn(two.x * rescale, two.y * rescale);
        }
      }
      share[half] = all == 0.0f ? 0.0f : 1.0f / all;
    }
    writes_before_products();
    group_sync(group);

    __half* own_out = out + ((long long)head * LENGTH + row + consumer * 64 + warp * 16 + lane / 4) * HEAD_DIM + lane % 4 * 2;
    for (int slice = 0; slice < kSlices; ++slice) {
      product<kValueSteps, 1>(d, ring, weights + own_rows, kPiece, 0, 2048 / 16);
#pragma unroll
      for (int i = 0; i < 64; ++i) {
        const int j = i / 2, half = i % 2;
        *reinterpret_cast<__half2*>(own_out + (long long)half * 8 * HEAD_DIM + slice * 256 + j * 8) =
            __floats2half2_rn(d[4 * j + 2 * half] * share[half], d[4 * j + 2 * half + 1] * share[half]);
      }
    }
  }
  // No block may leave while others of its cluster still write into it or arrive at its barriers.
  cluster_sync();
}
