/*kevolve
{
  "idea": "First pass: CHUNKS partial sums per row into scratch; second pass: one warp per row adds them. Generic lambdas say what is loaded and stored.",
  "tunables": { "CHUNKS": [9, 3, 17] },
  "scratch": { "partial": { "dtype": "f32", "elements": "ROWS * CHUNKS" } },
  "launches": [
    { "kernel": "first_pass", "grid": ["CHUNKS", "ROWS"], "block": [64], "args": ["x", "partial"] },
    { "kernel": "second_pass", "grid": ["ROWS"], "block": [32], "args": ["partial", "y"] }
  ]
}
*/
template <class Load>
__device__ inline float strided_sum(int begin, int end, int step, Load load) {
  float a = 0, b = 0;
  int i = begin;
  for (; i + step < end; i += 2 * step) {
    a += load(i);
    b += load(i + step);
  }
  if (i < end) a += load(i);
  return a + b;
}

template <class Store>
__device__ inline void fold(float value, Store store) {
  for (int d = 16; d; d >>= 1) value += __shfl_xor_sync(0xffffffff, value, d);
  if (threadIdx.x % 32 == 0) store(value);
}

__global__ void first_pass(const float* x, float* partial) {
  __shared__ float halves[2];
  const int begin = (int)((long long)L * blockIdx.x / CHUNKS), end = (int)((long long)L * (blockIdx.x + 1) / CHUNKS);
  const float* row = x + (size_t)blockIdx.y * L;
  fold(strided_sum(begin + threadIdx.x, end, 64, [=](int i) { return fabsf(row[i]) < 1e-3f ? 0.0f : row[i]; }),
       [&](float v) { halves[threadIdx.x / 32] = v; });
  __syncthreads();
  if (threadIdx.x == 0) partial[blockIdx.y * CHUNKS + blockIdx.x] = halves[0] + halves[1];
}

__global__ void second_pass(const float* partial, float* y) {
  const float* row = partial + blockIdx.x * CHUNKS;
  fold(strided_sum(threadIdx.x, CHUNKS, 32, [=](int i) { return row[i]; }), [=](float v) { y[blockIdx.x] = v; });
}
