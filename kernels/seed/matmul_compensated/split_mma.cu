/*kevolve
{
  "idea": "Fused fp32 matrix product on bf16 mma.sync: fp32 tiles come by a cp.async ring, warps split their fragments in registers into three bf16 parts (24 bits, full range), six products per slice of 16 in k start from zero and are added to fp32 master sums, so nothing is lost in the tensor cores' truncating adder. Elements that come out NaN or infinite are recomputed with plain FFMA.",
  "tunables": { "NI": [8, 4], "STAGES": [4, 3, 2], "GROUP": [16, 8], "UNROLL": [2, 1] },
  "constraints": ["M % 128 == 0", "N % (32 * NI) == 0", "K % 32 == 0", "M / 128 % GROUP == 0",
                  "STAGES * (20480 + 128 * (32 * NI + 4)) <= 232448", "K / 32 >= STAGES"],
  "launches": [
    { "kernel": "split_multiply", "grid": ["(M / 128) * (N / (32 * NI))"], "block": [256],
      "shared_bytes": "STAGES * (20480 + 128 * (32 * NI + 4))", "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "FFMA at its peak on a GPU whose tensor cores idle, where scaling rows and columns first would cost too much.",
    "requires": ["tensor_cores", "inline_ptx"]
  }
}
*/
constexpr int kTileM = 128, kTileN = 32 * NI, kTileK = 32;
constexpr int kPitchA = kTileK + 8;  // floats; both pitches keep the fragment loads free of bank conflicts
constexpr int kPitchB = kTileN + 4;
constexpr int kFloatsA = kTileM * kPitchA, kFloatsB = kTileK * kPitchB, kStage = kFloatsA + kFloatsB;
constexpr int kTilesN = N / kTileN;
constexpr int kSlices = K / kTileK;

__device__ __forceinline__ void copy16(float* to, const float* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(to)), "l"(from)
               : "memory");
}

__device__ __forceinline__ unsigned bf16_pair(float low, float high) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

// Two neighbouring factors in three bf16 parts each; every subtraction is exact.
__device__ __forceinline__ void split3(float x, float y, unsigned& high, unsigned& middle, unsigned& low) {
  high = bf16_pair(x, y);
  x -= __uint_as_float(high << 16);
  y -= __uint_as_float(high & 0xffff0000u);
  middle = bf16_pair(x, y);
  x -= __uint_as_float(middle << 16);
  y -= __uint_as_float(middle & 0xffff0000u);
  low = bf16_pair(x, y);
}

__device__ __forceinline__ void mma(float (&d)[4], const unsigned (&x)[4], const unsigned (&y)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
}

__device__ __forceinline__ void load_slice(float* stage, const float* a_block, const float* b_block, int slice) {
#pragma unroll
  for (int l = 0; l < kTileM * kTileK / 4 / 256; ++l) {
    const int i = threadIdx.x + l * 256, row = i / (kTileK / 4), k = i % (kTileK / 4) * 4;
    copy16(stage + row * kPitchA + k, a_block + (long long)row * K + slice * kTileK + k);
  }
#pragma unroll
  for (int l = 0; l < kTileN * kTileK / 4 / 256; ++l) {
    const int i = threadIdx.x + l * 256, k = i / (kTileN / 4), column = i % (kTileN / 4) * 4;
    copy16(stage + kFloatsA + k * kPitchB + column, b_block + (long long)(slice * kTileK + k) * N + column);
  }
}

// An element of the product in plain fp32 arithmetic: for NaN and infinities.
__device__ float plain_element(const float* a_row, const float* b_column) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int k = 0; k < K; k += 4) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] += a_row[k + i] * b_column[(long long)(k + i) * N];
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

__device__ __forceinline__ bool is_finite_value(float v) { return (__float_as_int(v) & 0x7fffffff) < 0x7f800000; }

__global__ void __launch_bounds__(256, 1)
    split_multiply(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  extern __shared__ float4 raw[];
  float* ring = reinterpret_cast<float*>(raw);
  const int group = blockIdx.x / (GROUP * kTilesN), rest = blockIdx.x % (GROUP * kTilesN);
  const int tile_row = (group * GROUP + rest % GROUP) * kTileM, tile_column = rest / GROUP * kTileN;
  const float* a_block = a + (long long)tile_row * K;
  const float* b_block = b + tile_column;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int g = lane / 4, t = lane % 4;
  const int warp_row = warp / 4 * 64, warp_column = warp % 4 * (8 * NI);

  float sum[4][NI][4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < NI; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[i][j][e] = 0.0f;
    }
  }

#pragma unroll
  for (int s = 0; s < STAGES - 1; ++s) {
    load_slice(ring + s * kStage, a_block, b_block, s);
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  int read_stage = 0, write_stage = STAGES - 1;
#pragma unroll 1
  for (int slice = 0; slice < kSlices; ++slice) {
    asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2) : "memory");
    __syncthreads();  // this slice has come for all threads, and all have left the stage that is filled next
    if (slice + STAGES - 1 < kSlices) load_slice(ring + write_stage * kStage, a_block, b_block, slice + STAGES - 1);
    asm volatile("cp.async.commit_group;" ::: "memory");
    const float* a_tile = ring + read_stage * kStage + (warp_row + g) * kPitchA + 2 * t;
    const float* b_tile = ring + read_stage * kStage + kFloatsA + 2 * t * kPitchB + warp_column + g;
#if UNROLL == 2
#pragma unroll
#else
#pragma unroll 1
#endif
    for (int k = 0; k < kTileK; k += 16) {
      unsigned x[3][4][4];  // part, 16 rows, register
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int r = 0; r < 4; ++r) {
          const float2 v = *reinterpret_cast<const float2*>(a_tile + (i * 16 + r % 2 * 8) * kPitchA + k + r / 2 * 8);
          split3(v.x, v.y, x[0][i][r], x[1][i][r], x[2][i][r]);
        }
      }
#pragma unroll
      for (int j = 0; j < NI; ++j) {
        unsigned y[3][2];
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const float* from = b_tile + (k + r * 8) * kPitchB + j * 8;
          split3(from[0], from[kPitchB], y[0][r], y[1][r], y[2][r]);
        }
        float part[4][4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int e = 0; e < 4; ++e) part[i][e] = 0.0f;
        }
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[2][i], y[0]);
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[0][i], y[2]);
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[1][i], y[1]);
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[1][i], y[0]);
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[0][i], y[1]);
#pragma unroll
        for (int i = 0; i < 4; ++i) mma(part[i], x[0][i], y[0]);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int e = 0; e < 4; ++e) sum[i][j][e] += part[i][e];
        }
      }
    }
    if (++read_stage == STAGES) read_stage = 0;
    if (++write_stage == STAGES) write_stage = 0;
  }

  bool good = true;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < NI; ++j) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const int row = tile_row + warp_row + i * 16 + h * 8 + g;
        const int column = tile_column + warp_column + j * 8 + 2 * t;
        const float first = sum[i][j][2 * h], second = sum[i][j][2 * h + 1];
        good = good && is_finite_value(first) && is_finite_value(second);
        *reinterpret_cast<float2*>(c + (long long)row * N + column) = make_float2(first, second);
      }
    }
  }
  if (good) return;
  // Rare: look again at the elements that this thread has just written.
#pragma unroll 1
  for (int i = 0; i < 4 * NI * 4; ++i) {
    const int row = tile_row + warp_row + i / (NI * 4) * 16 + i / 2 % 2 * 8 + g;
    const int column = tile_column + warp_column + i / 4 % NI * 8 + 2 * t + i % 2;
    float* element = c + (long long)row * N + column;
    if (!is_finite_value(*element)) *element = plain_element(a + (long long)row * K, b + column);
  }
}
