/*kevolve
{
  "idea": "fp32 matrix product on fp16 wgmma: every factor is scaled by an exact power of two per row of a and column of b, split into two fp16 parts (23 bits), and three products replace one. Prepasses interleave hi and lo parts in 128-byte K-major lines, a persistent warp-specialised kernel with TMA and two consumer warp groups of 64x256 multiplies them, and rows or columns with NaN or infinities are recomputed in plain fp32.",
  "tunables": { "STAGES": [4, 3], "GROUP": [16, 8, 32], "CHUNKS": [4, 2, 8, 1] },
  "constraints": ["M % 128 == 0", "N % 1024 == 0", "K % 1024 == 0", "M / 128 % GROUP == 0", "K / 32 % CHUNKS == 0"],
  "scratch": {
    "a_parts": { "dtype": "f16", "elements": "2 * M * K", "alignment": 1024 },
    "b_parts": { "dtype": "f16", "elements": "2 * N * K", "alignment": 1024 },
    "a_top": { "dtype": "i32", "elements": "M" },
    "b_top": { "dtype": "i32", "elements": "N", "init": "zero" }
  },
  "launches": [
    { "kernel": "split_rows", "grid": ["M"], "block": [256], "args": ["a", "a_parts", "a_top"] },
    { "kernel": "column_tops", "grid": ["N / 1024", "K / 32"], "block": [256], "args": ["b", "b_top"] },
    { "kernel": "split_columns", "grid": ["N / 64", "K / 64"], "block": [256], "args": ["b", "b_top", "b_parts"] },
    { "kernel": "multiply", "grid": ["min(num_sms, (M / 128) * (N / 256))"], "block": [384],
      "shared_bytes": "STAGES * 49152 + 1024",
      "args": [
        { "tensor_map": { "tensor": "a_parts", "dims": ["2 * K", "M"], "strides_bytes": ["4 * K"], "box": [64, 128], "swizzle": "128B", "l2_promotion": "256B", "out_of_bounds": "zero", "dtype": "f16" } },
        { "tensor_map": { "tensor": "b_parts", "dims": ["2 * K", "N"], "strides_bytes": ["4 * K"], "box": [64, 256], "swizzle": "128B", "l2_promotion": "256B", "out_of_bounds": "zero", "dtype": "f16" } },
        "a_top", "b_top", "c" ] },
    { "kernel": "repair", "grid": ["N / 256", "M / 128"], "block": [256], "args": ["a", "b", "a_top", "b_top", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "FFMA at its peak on a GPU whose tensor cores idle, in an operator whose class admits products of parts.",
    "requires": ["tensor_cores", "tma", "inline_ptx"]
  }
}
*/
#include <cuda_fp16.h>

constexpr int kTileM = 128, kTileN = 256, kTileK = 32;  // 32 hi and 32 lo values: 128 bytes
constexpr int kBytesA = kTileM * 128, kBytesB = kTileN * 128, kStageBytes = kBytesA + kBytesB;
constexpr int kTilesM = M / kTileM, kTilesN = N / kTileN, kTiles = kTilesM * kTilesN;
constexpr int kSlices = K / kTileK;
constexpr int kInfinite = 0x7f800000;

struct __align__(64) TensorMap {
  unsigned long long words[16];
};

// The power of two by which a row or column whose largest magnitude has these bits is multiplied: the
// largest then lies below 2^15.
__device__ __forceinline__ int shift_of(int top_bits) { return min(14 + 127 - (top_bits >> 23), 126); }
__device__ __forceinline__ float power_of_two(int e) { return __int_as_float((e + 127) << 23); }  // -126 <= e <= 127

__device__ __forceinline__ void split2(float x, float y, unsigned& high, unsigned& low) {
  const __half2 h = __floats2half2_rn(x, y);
  const float2 back = __half22float2(h);
  const __half2 l = __floats2half2_rn(x - back.x, y - back.y);
  high = *reinterpret_cast<const unsigned*>(&h);
  low = *reinterpret_cast<const unsigned*>(&l);
}

__device__ __forceinline__ int bits_of(float v) { return __float_as_int(v) & 0x7fffffff; }

// a_parts[row][K / 32][32 hi, 32 lo]; one block a row.
__global__ void __launch_bounds__(256)
    split_rows(const float* __restrict__ a, __half* __restrict__ a_parts, int* __restrict__ a_top) {
  constexpr int kVectors = K / 1024;
  const float4* in = reinterpret_cast<const float4*>(a + (long long)blockIdx.x * K);
  float4 v[kVectors];
#pragma unroll
  for (int i = 0; i < kVectors; ++i) v[i] = in[threadIdx.x + i * 256];
  int top = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    top = max(top, max(max(bits_of(v[i].x), bits_of(v[i].y)), max(bits_of(v[i].z), bits_of(v[i].w))));
  }
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) top = max(top, __shfl_xor_sync(0xffffffffu, top, offset));
  __shared__ int tops[8];
  if (threadIdx.x % 32 == 0) tops[threadIdx.x / 32] = top;
  __syncthreads();
#pragma unroll
  for (int w = 0; w < 8; ++w) top = max(top, tops[w]);
  if (threadIdx.x == 0) a_top[blockIdx.x] = top;
  const float scale = power_of_two(shift_of(top));
  __half* out = a_parts + (long long)blockIdx.x * (2 * K);
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int k = (threadIdx.x + i * 256) * 4;
    uint2 high, low;
    split2(v[i].x * scale, v[i].y * scale, high.x, low.x);
    split2(v[i].z * scale, v[i].w * scale, high.y, low.y);
    __half* line = out + k / 32 * 64 + k % 32;
    *reinterpret_cast<uint2*>(line) = high;
    *reinterpret_cast<uint2*>(line + 32) = low;
  }
}

__global__ void __launch_bounds__(256) column_tops(const float* __restrict__ b, int* __restrict__ b_top) {
  const int column = (blockIdx.x * 256 + threadIdx.x) * 4;
  const float* in = b + (long long)blockIdx.y * 32 * N + column;
  int x = 0, y = 0, z = 0, w = 0;
#pragma unroll 16
  for (int k = 0; k < 32; ++k) {
    const float4 v = *reinterpret_cast<const float4*>(in + (long long)k * N);
    x = max(x, bits_of(v.x));
    y = max(y, bits_of(v.y));
    z = max(z, bits_of(v.z));
    w = max(w, bits_of(v.w));
  }
  atomicMax(b_top + column, x);
  atomicMax(b_top + column + 1, y);
  atomicMax(b_top + column + 2, z);
  atomicMax(b_top + column + 3, w);
}

// b_parts[column][K / 32][32 hi, 32 lo]: a block transposes 64 x 64 elements.
__global__ void __launch_bounds__(256)
    split_columns(const float* __restrict__ b, const int* __restrict__ b_top, __half* __restrict__ b_parts) {
  __shared__ float tile[64][65];
  const int first_column = blockIdx.x * 64;
  const int first_k = ((int)gridDim.y - 1 - (int)blockIdx.y) * 64;  // what column_tops read last may still be in L2
#pragma unroll
  for (int l = 0; l < 4; ++l) {
    const int i = threadIdx.x + l * 256, k = i / 16, column = i % 16 * 4;
    const float4 v = *reinterpret_cast<const float4*>(b + (long long)(first_k + k) * N + first_column + column);
    tile[k][column] = v.x;
    tile[k][column + 1] = v.y;
    tile[k][column + 2] = v.z;
    tile[k][column + 3] = v.w;
  }
  __syncthreads();
#pragma unroll
  for (int l = 0; l < 2; ++l) {
    const int i = threadIdx.x + l * 256, run = i % 8, column = i / 8;
    const float scale = power_of_two(shift_of(b_top[first_column + column]));
    float v[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) v[j] = tile[run * 8 + j][column] * scale;
    uint4 high, low;
    split2(v[0], v[1], high.x, low.x);
    split2(v[2], v[3], high.y, low.y);
    split2(v[4], v[5], high.z, low.z);
    split2(v[6], v[7], high.w, low.w);
    __half* line = b_parts + (long long)(first_column + column) * (2 * K) + first_k * 2 + run / 4 * 64 + run % 4 * 8;
    *reinterpret_cast<uint4*>(line) = high;
    *reinterpret_cast<uint4*>(line + 32) = low;
  }
}

__device__ __forceinline__ unsigned shared_address(const void* p) { return (unsigned)__cvta_generic_to_shared(p); }

__device__ __forceinline__ void barrier_init(unsigned barrier, unsigned count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count) : "memory");
}
__device__ __forceinline__ void barrier_expect(unsigned barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
__device__ __forceinline__ void barrier_arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
__device__ __forceinline__ void barrier_wait(unsigned barrier, unsigned parity) {
  unsigned done;
  do {
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n"
        "}\n"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (done == 0);
}
__device__ __forceinline__ void load_box(unsigned to, const TensorMap* map, unsigned barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(to),
      "l"(reinterpret_cast<unsigned long long>(map)), "r"(barrier), "r"(x), "r"(y)
      : "memory");
}

// A K-major operand of 128-byte lines in the 128-byte swizzle, eight lines every 1024 bytes.
__device__ __forceinline__ unsigned long long operand(unsigned address) {
  return (unsigned long long)((address & 0x3ffffu) >> 4) | (1ull << 16) | (64ull << 32) | (1ull << 62);
}

#define ACC4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define ACC16(i) ACC4(i), ACC4(i + 4), ACC4(i + 8), ACC4(i + 12)

__device__ __forceinline__ void mma_64x256x16(float (&d)[128], unsigned long long a_operand, unsigned long long b_operand) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, p, 1, 1, 0, 0;\n"
      "}\n"
      : ACC16(0), ACC16(16), ACC16(32), ACC16(48), ACC16(64), ACC16(80), ACC16(96), ACC16(112)
      : "l"(a_operand), "l"(b_operand), "r"(1));
}

__device__ __forceinline__ void tile_place(int tile, int& row, int& column) {
  const int group = tile / (GROUP * kTilesN), rest = tile % (GROUP * kTilesN);
  row = (group * GROUP + rest % GROUP) * kTileM;
  column = rest / GROUP * kTileN;
}

__global__ void __launch_bounds__(384, 1)
    multiply(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map,
             const int* __restrict__ a_top, const int* __restrict__ b_top, float* __restrict__ c) {
  extern __shared__ unsigned char raw[];
  __shared__ __align__(8) unsigned long long full_barriers[STAGES];
  __shared__ __align__(8) unsigned long long empty_barriers[STAGES];
  const unsigned ring = (shared_address(raw) + 1023u) & ~1023u;
  const unsigned full = shared_address(full_barriers), empty = shared_address(empty_barriers);
  if (threadIdx.x == 0) {
    for (int s = 0; s < STAGES; ++s) {
      barrier_init(full + 8 * s, 1);
      barrier_init(empty + 8 * s, 8);  // one arrival of each consumer warp
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  __syncthreads();
  const int warp_group = threadIdx.x / 128;
  if (warp_group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 0) {
      int stage = 0;
      unsigned phase = 1;  // the ring is empty: the first waits pass at once
      for (int tile = blockIdx.x; tile < kTiles; tile += gridDim.x) {
        int row, column;
        tile_place(tile, row, column);
        for (int slice = 0; slice < kSlices; ++slice) {
          barrier_wait(empty + 8 * stage, phase);
          barrier_expect(full + 8 * stage, kStageBytes);
          const unsigned to = ring + stage * kStageBytes;
          load_box(to, &a_map, full + 8 * stage, slice * 64, row);
          load_box(to + kBytesA, &b_map, full + 8 * stage, slice * 64, column);
          if (++stage == STAGES) {
            stage = 0;
            phase ^= 1;
          }
        }
      }
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    const int consumer = warp_group - 1, lane = threadIdx.x % 32, warp = threadIdx.x % 128 / 32;
    int stage = 0;
    unsigned phase = 0;
    float d[128];
    for (int tile = blockIdx.x; tile < kTiles; tile += gridDim.x) {
      int row, column;
      tile_place(tile, row, column);
      const int out_row = row + consumer * 64 + warp * 16 + lane / 4;
      const int out_column = column + lane % 4 * 2;
      float* out = c + (long long)out_row * N + out_column;
#pragma unroll 1
      for (int chunk = 0; chunk < CHUNKS; ++chunk) {
#pragma unroll
        for (int i = 0; i < 128; ++i) d[i] = 0.0f;
        int previous = -1;
#pragma unroll 1
        for (int slice = 0; slice < kSlices / CHUNKS; ++slice) {
          barrier_wait(full + 8 * stage, phase);
          const unsigned a_at = ring + stage * kStageBytes + consumer * (64 * 128);
          const unsigned b_at = ring + stage * kStageBytes + kBytesA;
          asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
          // Bytes 0 and 32 of a line: hi parts of k 0..15 and 16..31; bytes 64 and 96: their lo parts.
          mma_64x256x16(d, operand(a_at + 64), operand(b_at));
          mma_64x256x16(d, operand(a_at), operand(b_at + 64));
          mma_64x256x16(d, operand(a_at), operand(b_at));
          mma_64x256x16(d, operand(a_at + 96), operand(b_at + 32));
          mma_64x256x16(d, operand(a_at + 32), operand(b_at + 96));
          mma_64x256x16(d, operand(a_at + 32), operand(b_at + 32));
          asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
          asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
          if (previous >= 0 && lane == 0) barrier_arrive(empty + 8 * previous);
          previous = stage;
          if (++stage == STAGES) {
            stage = 0;
            phase ^= 1;
          }
        }
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
        for (int i = 0; i < 128; ++i) asm volatile("" : "+f"(d[i])::"memory");
        if (lane == 0) barrier_arrive(empty + 8 * previous);
        // What the chunks before have summed up, still scaled, lies in c; every thread meets only its own elements.
        if (chunk > 0) {
#pragma unroll
          for (int j = 0; j < 32; ++j) {
            const float2 before0 = *reinterpret_cast<const float2*>(out + 8 * j);
            const float2 before1 = *reinterpret_cast<const float2*>(out + 8 * N + 8 * j);
            d[4 * j] += before0.x;
            d[4 * j + 1] += before0.y;
            d[4 * j + 2] += before1.x;
            d[4 * j + 3] += before1.y;
          }
        }
        if (chunk + 1 < CHUNKS) {
#pragma unroll
          for (int j = 0; j < 32; ++j) {
            *reinterpret_cast<float2*>(out + 8 * j) = make_float2(d[4 * j], d[4 * j + 1]);
            *reinterpret_cast<float2*>(out + 8 * N + 8 * j) = make_float2(d[4 * j + 2], d[4 * j + 3]);
          }
          continue;
        }
        const int up0 = shift_of(a_top[out_row]), up1 = shift_of(a_top[out_row + 8]);
#pragma unroll
        for (int j = 0; j < 32; ++j) {
          const int2 tops = *reinterpret_cast<const int2*>(b_top + out_column + 8 * j);
          const int across0 = shift_of(tops.x), across1 = shift_of(tops.y);
          float value[4];
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            const int down = -((e < 2 ? up0 : up1) + (e % 2 == 0 ? across0 : across1));
            const int part = down / 2;
            value[e] = d[4 * j + e] * power_of_two(part) * power_of_two(down - part);
          }
          *reinterpret_cast<float2*>(out + 8 * j) = make_float2(value[0], value[1]);
          *reinterpret_cast<float2*>(out + 8 * N + 8 * j) = make_float2(value[2], value[3]);
        }
      }
    }
  }
}

// Rows of a and columns of b with NaN or infinities again, in plain fp32 arithmetic.
__global__ void __launch_bounds__(256)
    repair(const float* __restrict__ a, const float* __restrict__ b, const int* __restrict__ a_top,
           const int* __restrict__ b_top, float* __restrict__ c) {
  const int column = blockIdx.x * 256 + threadIdx.x, first_row = blockIdx.y * 128;
  const bool bad_column = b_top[column] >= kInfinite;
  const bool bad_row = threadIdx.x < 128 && a_top[first_row + threadIdx.x % 128] >= kInfinite;
  if (!__syncthreads_or(bad_column || bad_row)) return;
  for (int r = 0; r < 128; ++r) {
    const int row = first_row + r;
    if (!bad_column && a_top[row] < kInfinite) continue;
    const float* a_row = a + (long long)row * K;
    const float* b_column = b + column;
    float sum[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) sum[i] = 0.0f;
    for (int k = 0; k < K; k += 8) {
#pragma unroll
      for (int i = 0; i < 8; ++i) sum[i] += a_row[k + i] * b_column[(long long)(k + i) * N];
    }
    c[(long long)row * N + column] = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
  }
}
