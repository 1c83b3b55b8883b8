// Kernels in the manner of tutorials and blog posts, written as CUDA programmers write them. See wild_test.cpp.
#include <cooperative_groups.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <device_launch_parameters.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#define WARP_SIZE 32
#define FULL_MASK 0xffffffff
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))
typedef unsigned int uint;

// ---- reductions -------------------------------------------------------------------------------------------------
__inline__ __device__ float warpReduceSum(float val) {
#pragma unroll
  for (int offset = warpSize / 2; offset > 0; offset /= 2) val += __shfl_down_sync(FULL_MASK, val, offset);
  return val;
}

__inline__ __device__ float blockReduceSum(float val) {
  static __shared__ float shared[32];
  int lane = threadIdx.x % warpSize;
  int wid = threadIdx.x / warpSize;
  val = warpReduceSum(val);
  if (lane == 0) shared[wid] = val;
  __syncthreads();
  val = (threadIdx.x < blockDim.x / warpSize) ? shared[lane] : 0;
  if (wid == 0) val = warpReduceSum(val);
  return val;
}

extern "C" __global__ void __launch_bounds__(256) deviceReduceKernel(const float *in, float *out, int N) {
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < N; i += blockDim.x * gridDim.x) sum += in[i];
  sum = blockReduceSum(sum);
  if (threadIdx.x == 0) atomicAdd(out, sum);
}

template <unsigned int blockSize>
__device__ void warpReduce(volatile float *sdata, unsigned int tid) {
  float v = sdata[tid];
  if (blockSize >= 64) { v += sdata[tid + 32]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
  if (blockSize >= 32) { v += sdata[tid + 16]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
  if (blockSize >= 16) { v += sdata[tid + 8]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
  if (blockSize >= 8) { v += sdata[tid + 4]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
  if (blockSize >= 4) { v += sdata[tid + 2]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
  if (blockSize >= 2) { v += sdata[tid + 1]; __syncwarp(); sdata[tid] = v; __syncwarp(); }
}

template <unsigned int blockSize>
__global__ void reduce6(float *g_idata, float *g_odata, unsigned int n) {
  extern __shared__ float sdata[];
  unsigned int tid = threadIdx.x;
  unsigned int i = blockIdx.x * (blockSize * 2) + tid;
  unsigned int gridSize = blockSize * 2 * gridDim.x;
  sdata[tid] = 0;
  while (i < n) {
    sdata[tid] += g_idata[i] + (i + blockSize < n ? g_idata[i + blockSize] : 0.0f);
    i += gridSize;
  }
  __syncthreads();
  if (blockSize >= 512) { if (tid < 256) { sdata[tid] += sdata[tid + 256]; } __syncthreads(); }
  if (blockSize >= 256) { if (tid < 128) { sdata[tid] += sdata[tid + 128]; } __syncthreads(); }
  if (blockSize >= 128) { if (tid < 64) { sdata[tid] += sdata[tid + 64]; } __syncthreads(); }
  if (tid < 32) warpReduce<blockSize>(sdata, tid);
  if (tid == 0) g_odata[blockIdx.x] = sdata[0];
}

// ---- matrix products ---------------------------------------------------------------------------------------------
template <int TILE>
__global__ void matmul_tiled(const float *A, const float *B, float *C, int M, int N, int K) {
  __shared__ float As[TILE][TILE];
  __shared__ float Bs[TILE][TILE + 1];
  int row = blockIdx.y * TILE + threadIdx.y, col = blockIdx.x * TILE + threadIdx.x;
  float acc = 0.f;
  for (int t = 0; t < CEIL_DIV(K, TILE); t++) {
    As[threadIdx.y][threadIdx.x] = (row < M && t * TILE + threadIdx.x < K) ? A[row * K + t * TILE + threadIdx.x] : 0.f;
    Bs[threadIdx.y][threadIdx.x] = (col < N && t * TILE + threadIdx.y < K) ? B[(t * TILE + threadIdx.y) * N + col] : 0.f;
    __syncthreads();
#pragma unroll
    for (int k = 0; k < TILE; ++k) acc += As[threadIdx.y][k] * Bs[k][threadIdx.x];
    __syncthreads();
  }
  if (row < M && col < N) C[row * N + col] = acc;
}

template <const int BM, const int BN, const int BK, const int TM, const int TN>
__global__ void __launch_bounds__((BM * BN) / (TM * TN), 1)
    sgemm2DBlocktiling(int M, int N, int K, const float *A, const float *B, float *C) {
  const uint cRow = blockIdx.y, cCol = blockIdx.x;
  const int threadCol = threadIdx.x % (BN / TN), threadRow = threadIdx.x / (BN / TN);
  __shared__ float As[BM * BK];
  __shared__ float Bs[BK * BN];
  A += cRow * BM * K;
  B += cCol * BN;
  C += cRow * BM * N + cCol * BN;
  const uint innerRowA = threadIdx.x / BK, innerColA = threadIdx.x % BK, strideA = blockDim.x / BK;
  const uint innerRowB = threadIdx.x / BN, innerColB = threadIdx.x % BN, strideB = blockDim.x / BN;
  float threadResults[TM * TN] = {0.0}, regM[TM] = {0.0}, regN[TN] = {0.0};
  for (uint bkIdx = 0; bkIdx < K; bkIdx += BK) {
    for (uint o = 0; o < BM; o += strideA) As[(innerRowA + o) * BK + innerColA] = A[(innerRowA + o) * K + innerColA];
    for (uint o = 0; o < BK; o += strideB) Bs[(innerRowB + o) * BN + innerColB] = B[(innerRowB + o) * N + innerColB];
    __syncthreads();
    A += BK;
    B += BK * N;
    for (uint dotIdx = 0; dotIdx < BK; ++dotIdx) {
      for (uint i = 0; i < TM; ++i) regM[i] = As[(threadRow * TM + i) * BK + dotIdx];
      for (uint i = 0; i < TN; ++i) regN[i] = Bs[dotIdx * BN + threadCol * TN + i];
      for (uint m = 0; m < TM; ++m)
        for (uint n = 0; n < TN; ++n) threadResults[m * TN + n] += regM[m] * regN[n];
    }
    __syncthreads();
  }
  for (uint m = 0; m < TM; ++m)
    for (uint n = 0; n < TN; n += 4) {
      float4 tmp = reinterpret_cast<float4 *>(&threadResults[m * TN + n])[0];
      reinterpret_cast<float4 *>(&C[(threadRow * TM + m) * N + threadCol * TN + n])[0] = tmp;
    }
}

// ---- scan, transpose, histogram ----------------------------------------------------------------------------------
__global__ void prescan(float *g_odata, const float *g_idata, int n) {
  extern __shared__ float temp[];
  int thid = threadIdx.x, offset = 1;
  temp[2 * thid] = g_idata[2 * thid];
  temp[2 * thid + 1] = g_idata[2 * thid + 1];
  for (int d = n >> 1; d > 0; d >>= 1) {
    __syncthreads();
    if (thid < d) {
      int ai = offset * (2 * thid + 1) - 1, bi = offset * (2 * thid + 2) - 1;
      temp[bi] += temp[ai];
    }
    offset *= 2;
  }
  if (thid == 0) temp[n - 1] = 0;
  for (int d = 1; d < n; d *= 2) {
    offset >>= 1;
    __syncthreads();
    if (thid < d) {
      int ai = offset * (2 * thid + 1) - 1, bi = offset * (2 * thid + 2) - 1;
      float t = temp[ai];
      temp[ai] = temp[bi];
      temp[bi] += t;
    }
  }
  __syncthreads();
  g_odata[2 * thid] = temp[2 * thid];
  g_odata[2 * thid + 1] = temp[2 * thid + 1];
}

const int TILE_DIM = 32, BLOCK_ROWS = 8;
__global__ void transposeNoBankConflicts(float *odata, const float *idata) {
  __shared__ float tile[TILE_DIM][TILE_DIM + 1];
  int x = blockIdx.x * TILE_DIM + threadIdx.x, y = blockIdx.y * TILE_DIM + threadIdx.y;
  int width = gridDim.x * TILE_DIM, height = gridDim.y * TILE_DIM;
  for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS) tile[threadIdx.y + j][threadIdx.x] = idata[(y + j) * width + x];
  __syncthreads();
  x = blockIdx.y * TILE_DIM + threadIdx.x;
  y = blockIdx.x * TILE_DIM + threadIdx.y;
  for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS) odata[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}

__global__ void histogram256(const unsigned char *data, unsigned int *bins, int n) {
  __shared__ unsigned int s_hist[8][256];
  for (int i = threadIdx.x; i < 8 * 256; i += blockDim.x) ((unsigned int *)s_hist)[i] = 0;
  __syncthreads();
  unsigned int *mine = s_hist[threadIdx.x >> 5];
  for (int pos = blockIdx.x * blockDim.x + threadIdx.x; pos < n / 4; pos += blockDim.x * gridDim.x) {
    uchar4 d = reinterpret_cast<const uchar4 *>(data)[pos];
    atomicAdd(mine + d.x, 1);
    atomicAdd(mine + d.y, 1u);
    atomicAdd(mine + d.z, 1u);
    atomicAdd(mine + d.w, 1u);
  }
  __syncthreads();
  for (int bin = threadIdx.x; bin < 256; bin += blockDim.x) {
    unsigned int sum = 0;
    for (int w = 0; w < 8; ++w) sum += s_hist[w][bin];
    atomicAdd(&bins[bin], sum);
  }
}

// ---- softmax, layernorm ------------------------------------------------------------------------------------------
struct __align__(8) MD {
  float m;
  float d;
};
__device__ __forceinline__ MD reduce_md_op(MD a, MD b) {
  bool a_bigger = (a.m > b.m);
  MD bigger_m = a_bigger ? a : b;
  MD smaller_m = a_bigger ? b : a;
  MD res;
  res.d = bigger_m.d + smaller_m.d * __expf(smaller_m.m - bigger_m.m);
  res.m = bigger_m.m;
  return res;
}

template <int THREADBLOCK_SIZE>
__launch_bounds__(THREADBLOCK_SIZE) __global__ void online_softmax(const float *__restrict x, float *__restrict y, int V) {
  int thread_id = threadIdx.x;
  x += (long long)blockIdx.x * V;
  y += (long long)blockIdx.x * V;
  __shared__ MD md_warp[THREADBLOCK_SIZE / 32];
  __shared__ MD md_total;
  MD md_partial;
  md_partial.m = -FLT_MAX;
  md_partial.d = 0.0F;
  for (int e = thread_id; e < V; e += THREADBLOCK_SIZE) {
    MD fresh;
    fresh.m = x[e];
    fresh.d = 1.0F;
    md_partial = reduce_md_op(md_partial, fresh);
  }
  for (int o = 16; o > 0; o >>= 1) {
    MD other{__shfl_xor_sync(0xffffffffu, md_partial.m, o), __shfl_xor_sync(0xffffffffu, md_partial.d, o)};
    md_partial = reduce_md_op(md_partial, other);
  }
  if (thread_id % 32 == 0) md_warp[thread_id / 32] = md_partial;
  __syncthreads();
  if (thread_id == 0) {
    md_total = md_warp[0];
    for (int w = 1; w < THREADBLOCK_SIZE / 32; ++w) md_total = reduce_md_op(md_total, md_warp[w]);
  }
  __syncthreads();
  float d_total_inverse = __fdividef(1.0F, md_total.d);
  for (int e = thread_id; e < V; e += THREADBLOCK_SIZE) y[e] = __expf(x[e] - md_total.m) * d_total_inverse;
}

namespace cg = cooperative_groups;
template <typename T>
struct Packed {
  T v[4];
};
__global__ void layernorm_forward(float *__restrict__ out, const float *__restrict__ inp, const half *__restrict__ weight, int N, int C) {
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(block);
  int idx = blockIdx.x * warp.meta_group_size() + warp.meta_group_rank();
  if (idx >= N) return;
  const Packed<float> *x = reinterpret_cast<const Packed<float> *>(inp + idx * C);
  auto warp_sum = [&](float v) {
    for (int o = 16; o > 0; o /= 2) v += warp.shfl_xor(v, o);
    return v;
  };
  float sum = 0.0f;
  for (int i = warp.thread_rank(); i < C / 4; i += warp.size())
    for (int k = 0; k < 4; ++k) sum += x[i].v[k];
  float m = warp_sum(sum) / C;
  sum = 0.0f;
  for (int i = warp.thread_rank(); i < C / 4; i += warp.size())
    for (int k = 0; k < 4; ++k) sum = fmaf(x[i].v[k] - m, x[i].v[k] - m, sum);
  float s = rsqrtf(warp_sum(sum) / C + 1e-5f);
  for (int c = warp.thread_rank(); c < C; c += warp.size()) {
    float n = s * (__ldcs(inp + idx * C + c) - m);
    __stcs(out + idx * C + c, n * __half2float(weight[c]));
  }
}

// A generic lambda, a functor and a static member function as device code.
struct Gelu {
  static constexpr float kScale = 0.7978845608f;
  __host__ __device__ float operator()(float x) const { return 0.5f * x * (1.0f + tanhf(kScale * (x + 0.044715f * x * x * x))); }
};
template <class F, int VEC>
__global__ void map_vector(const float4 *in, float4 *out, int n, F f) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    float4 v = in[i];
    v.x = f(v.x), v.y = f(v.y), v.z = f(v.z), v.w = f(v.w);
    out[i] = v;
  }
}

KEVOLVE_SIMT_ENTRY(reduce_atomic, deviceReduceKernel)
KEVOLVE_SIMT_ENTRY(reduce6, reduce6<256>)
KEVOLVE_SIMT_ENTRY(matmul, matmul_tiled<16>)
KEVOLVE_SIMT_ENTRY(sgemm, sgemm2DBlocktiling<64, 64, 8, 8, 8>)
KEVOLVE_SIMT_ENTRY(prescan, prescan)
KEVOLVE_SIMT_ENTRY(transpose, transposeNoBankConflicts)
KEVOLVE_SIMT_ENTRY(histogram, histogram256)
KEVOLVE_SIMT_ENTRY(softmax, online_softmax<128>)
KEVOLVE_SIMT_ENTRY(layernorm, layernorm_forward)
KEVOLVE_SIMT_ENTRY(gelu, map_vector<Gelu, 4>)
