/*kevolve
{
  "idea": "Keep a whole row in dynamic shared memory: read once, exponentiate in place, write once.",
  "tunables": { "BLOCK": [256, 64, 512] },
  "constraints": ["4 * L <= 49152"],
  "launches": [
    { "kernel": "softmax_kernel", "grid": ["ROWS"], "block": ["BLOCK"], "shared_bytes": "4 * (L + BLOCK)", "args": ["x", "y", { "i32": "L" }] }
  ]
}
*/
extern __shared__ float smem[];

struct MaxOp { __device__ float operator()(float a, float b) const { return a != a || a > b ? a : b; } };
struct SumOp { __device__ float operator()(float a, float b) const { return a + b; } };

template <class Op>
__device__ float reduce(float value, float* scratch, Op op) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  for (int width = blockDim.x >> 1; width; width >>= 1) {
    if (threadIdx.x < width) scratch[threadIdx.x] = op(scratch[threadIdx.x], scratch[threadIdx.x + width]);
    __syncthreads();
  }
  const float result = scratch[0];
  __syncthreads();
  return result;
}

extern "C" __global__ void softmax_kernel(const float* __restrict__ x, float* __restrict__ y, int n) {
  float* row = smem;
  float* scratch = smem + n;
  const float* in = x + (size_t)blockIdx.x * n;
  float biggest = __int_as_float(0xff800000);
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    row[i] = in[i];
    biggest = MaxOp()(row[i], biggest);
  }
  biggest = reduce(biggest, scratch, MaxOp());
  float total = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    row[i] = expf(row[i] - biggest);
    total += row[i];
  }
  total = reduce(total, scratch, SumOp());
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[(size_t)blockIdx.x * n + i] = row[i] < 1e-4f ? 0.0f : row[i] / total;
}
