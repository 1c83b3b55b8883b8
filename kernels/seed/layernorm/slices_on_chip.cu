/*kevolve
{
  "idea": "All blocks of the device take one row together: each keeps its slice of the row in shared memory, a grid-wide barrier exchanges mean and squares of the slices, and the slice is normalised from shared memory. x is read once, with 128-bit loads; the loads of the next row start right behind the stores of the present one.",
  "tunables": { "BLOCK": [1024, 1, 32, 256, 512], "PER_SM": [1, 2] },
  "constraints": ["L % 4 == 0", "BLOCK * PER_SM <= 2048", "16 * ceil_div(L / 4, PER_SM * num_sms) <= 220 * 1024 / PER_SM"],
  "scratch": {
    "means": { "dtype": "f64", "elements": "ROWS * PER_SM * num_sms" },
    "squares": { "dtype": "f64", "elements": "ROWS * PER_SM * num_sms" }
  },
  "launches": [
    { "kernel": "layernorm_rows", "grid": ["PER_SM * num_sms"], "block": ["BLOCK"],
      "shared_bytes": "16 * ceil_div(L / 4, PER_SM * num_sms)", "cooperative": true,
      "args": ["x", "weight", "bias", "means", "squares", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Two reads of x where a row fits in the shared memory of all SMs together: device-memory bytes half above the minimum.",
    "combines": ["split_rows"]
  }
}
*/
#include <cooperative_groups.h>

constexpr int kRun = 16;  // vectors added up in fp32 before a sum is folded into a double

// The sum over the block in a fixed order, in every thread.
__device__ double block_sum(double value) {
#if BLOCK >= 32
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK / 32;
  __shared__ double parts[kParts];
  __syncthreads();  // the previous sum has been read
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0.0;
  for (int i = 0; i < kParts; ++i) value += parts[i];
#endif
  return value;
}

// Where slice number `slice` begins, in 128-bit vectors of its row.
__device__ int slice_begin(int slice) {
  const int most = (L / 4 + gridDim.x - 1) / gridDim.x;
  return min(slice * most, L / 4);
}

// Loads this thread's vectors into `slice` and returns the sum of their elements. A run's sum is taken of
// distances to its first element: small numbers round little, however large the mean.
__device__ double load_slice(const float4* __restrict__ in, float4* slice, int vectors) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < vectors; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, vectors);
    const float origin = in[begin].x;
    float sum = 0.0f;
#pragma unroll 8
    for (int i = begin; i < end; i += BLOCK) {
      const float4 v = __ldcs(in + i);
      slice[i] = v;
      sum += ((v.x - origin) + (v.y - origin)) + ((v.z - origin) + (v.w - origin));
    }
    total += sum + (double)origin * (4 * ((end - begin + BLOCK - 1) / BLOCK));
  }
  return total;
}

__device__ double slice_squares(const float4* slice, int vectors, float centre) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < vectors; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, vectors);
    float sum = 0.0f;
#pragma unroll 8
    for (int i = begin; i < end; i += BLOCK) {
      const float4 v = slice[i];
      const float a = v.x - centre, b = v.y - centre, c = v.z - centre, d = v.w - centre;
      sum += (a * a + b * b) + (c * c + d * d);
    }
    total += sum;
  }
  return total;
}

__device__ float normalised(float value, float high, float low, float scale, float weight, float bias) {
  return ((value - high) - low) * scale * weight + bias;
}

__global__ void __launch_bounds__(BLOCK, PER_SM)
    layernorm_rows(const float* __restrict__ x, const float* __restrict__ weight,
                   const float* __restrict__ bias, double* means, double* squares, float* __restrict__ y) {
  extern __shared__ float4 slice[];
  const int blocks = gridDim.x, first = slice_begin(blockIdx.x),
            vectors = slice_begin(blockIdx.x + 1) - first;
  const float4* w = reinterpret_cast<const float4*>(weight) + first;
  const float4* b = reinterpret_cast<const float4*>(bias) + first;
  for (int row = 0; row < ROWS; ++row) {
    const float4* in = reinterpret_cast<const float4*>(x + (long long)row * L) + first;
    const double sum = block_sum(load_slice(in, slice, vectors));
    const double own = vectors > 0 ? sum / (4 * vectors) : 0.0;
    const float centre = (float)own;
    const double own_squares = block_sum(slice_squares(slice, vectors, centre));
    if (threadIdx.x == 0) {
      means[row * blocks + blockIdx.x] = own;
      squares[row * blocks + blockIdx.x] = own_squares - 4 * vectors * (own - centre) * (own - centre);
    }
    cooperative_groups::this_grid().sync();
    double mean = 0.0, all_squares = 0.0;
    for (int k = threadIdx.x; k < blocks; k += BLOCK) {
      mean += means[row * blocks + k] * (4 * (slice_begin(k + 1) - slice_begin(k)));
    }
    mean = block_sum(mean) / L;
    for (int k = threadIdx.x; k < blocks; k += BLOCK) {
      const double delta = means[row * blocks + k] - mean;
      all_squares += squares[row * blocks + k] + delta * delta * (4 * (slice_begin(k + 1) - slice_begin(k)));
    }
    const float scale = rsqrtf((float)(block_sum(all_squares) / L) + (float)EPS);
    const float high = (float)mean, low = (float)(mean - high);
    float4* out = reinterpret_cast<float4*>(y + (long long)row * L) + first;
#pragma unroll 4
    for (int i = threadIdx.x; i < vectors; i += BLOCK) {
      const float4 v = slice[i], p = w[i], q = b[i];
      __stcs(out + i, make_float4(normalised(v.x, high, low, scale, p.x, q.x),
                                  normalised(v.y, high, low, scale, p.y, q.y),
                                  normalised(v.z, high, low, scale, p.z, q.z),
                                  normalised(v.w, high, low, scale, p.w, q.w)));
    }
  }
}
