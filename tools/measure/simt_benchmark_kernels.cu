// Kernels whose cost is that of the SIMT runtime: little arithmetic between barriers.

extern "C" __global__ void reduce(const float* x, float* y) {
  __shared__ float s[256];
  const int t = threadIdx.x;
  s[t] = x[blockIdx.x * 256 + t];
  __syncthreads();
  for (int o = 128; o > 0; o >>= 1) {
    if (t < o) s[t] += s[t + o];
    __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = s[0];
}

extern "C" __global__ void barriers(float* y, int steps) {
  extern __shared__ float d[];
  for (int i = 0; i < steps; ++i) {
    d[threadIdx.x] = i;
    __syncthreads();
  }
  y[blockIdx.x] = d[0];
}

extern "C" __global__ void shuffles(const float* x, float* y) {
  float v = x[blockIdx.x * 256 + threadIdx.x];
  for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  if (threadIdx.x % 32 == 0) y[blockIdx.x * 8 + threadIdx.x / 32] = v;
}

extern "C" __global__ void axpy(float a, const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}

extern "C" __global__ void histogram(const int* x, int* bins, int n) {
  __shared__ int local[256];
  local[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[x[i] & 255], 1);
  __syncthreads();
  atomicAdd(&bins[threadIdx.x], local[threadIdx.x]);
}

KEVOLVE_SIMT_ENTRY(reduce, reduce)
KEVOLVE_SIMT_ENTRY(barriers, barriers)
KEVOLVE_SIMT_ENTRY(shuffles, shuffles)
KEVOLVE_SIMT_ENTRY(axpy, axpy)
KEVOLVE_SIMT_ENTRY(histogram, histogram)
