// Kernels of memory_test.cpp and launch_test.cpp.
#include <assert.h>

template <class T, int N>
struct Pair {
  T first[N];
  int second;
};

extern __shared__ float pool[];   // at file scope
__shared__ int counter_at_file_scope;

__device__ float block_total(float value) {
  __shared__ float slots[32];   // one instance however often it is called
  slots[threadIdx.x] = value;
  __syncthreads();
  float total = 0;
  for (int i = 0; i < blockDim.x; ++i) total += slots[i];
  __syncthreads();
  return total;
}

template <class T, int N>
__global__ void shared_forms(float* y) {
  __shared__ T table[N][N + 1], single;
  static __shared__ volatile int flags[4];
  __shared__ Pair<T, N> pair;
  __shared__ union {
    float f[4];
    unsigned u[4];
  } both;
  __shared__ __align__(16) float aligned[8];
#define DECLARE(type, name) __shared__ type name[32];
  DECLARE(int, from_macro)
  const int t = threadIdx.x;
  for (int i = 0; i < N; ++i) table[t][i] = t * N + i;
  if (t == 0) single = 3, pair.second = 5, both.u[2] = 0x3f800000, counter_at_file_scope = 11;
  if (t == 0) flags[1] = 7;
  from_macro[t] = t;
  pair.first[t] = T(t);
  aligned[t % 8] = 1;
  __syncthreads();
  y[t] = table[N - 1 - t][t] + single + pair.first[N - 1] + pair.second + flags[1] + both.f[2] + from_macro[N - 1 - t] +
         counter_at_file_scope + block_total(1) + block_total(2) + reinterpret_cast<float4*>(aligned)[1].w;
}

__global__ void dynamic_forms(float* y, int n) {
  extern __shared__ __align__(16) unsigned char raw[];
  float* const a = reinterpret_cast<float*>(raw);
  int* const b = (int*)(a + n);
  a[threadIdx.x] = threadIdx.x;
  b[threadIdx.x] = 2 * threadIdx.x;
  __syncthreads();
  y[threadIdx.x] = pool[n - 1 - threadIdx.x] + b[n - 1 - threadIdx.x] + (&pool[0] == a ? 0.5f : 0.0f);
}

// What a thread finds in shared memory at the start of its block. Every block leaves zeros behind.
__global__ void uninitialised(unsigned* y) {
  __shared__ unsigned fixed[8];
  extern __shared__ unsigned dynamic[];
  y[2 * blockIdx.x] = fixed[3];
  y[2 * blockIdx.x + 1] = dynamic[5];
  fixed[3] = 0;
  dynamic[5] = 0;
}

__global__ void past_dynamic(float* y, int i) {
  extern __shared__ float s[];
  s[threadIdx.x] = 1;
  y[0] = s[i];
}

__global__ void past_buffer(float* y, int thread) {
  if (threadIdx.x == thread) y[1 << 28] = 1;
}

__device__ int descend(volatile int* y, int depth) {
  volatile char frame[256];
  frame[depth & 255] = 1;
  return depth == 0 ? y[0] : descend(y, depth - 1) + frame[depth & 255];
}
__global__ void recursion(int* y, int depth) { y[1] = descend(y, depth); }

__global__ void too_much_static(float* y) {
  __shared__ float s[13000];
  s[threadIdx.x] = 1;
  y[0] = s[0];
}

__global__ void atomics(int* i, unsigned* u, unsigned long long* l, float* f, double* d) {
  __shared__ int local;
  __shared__ float sum;
  if (threadIdx.x == 0) local = 0, sum = 0;
  __syncthreads();
  atomicAdd(&local, 1);
  atomicAdd(&sum, 0.5f);
  __syncthreads();
  const int g = blockIdx.x * blockDim.x + threadIdx.x;
  if (threadIdx.x == 0) atomicAdd(&i[0], local), atomicAdd(&f[1], sum);
  atomicSub(&i[1], 2);
  atomicMin(&i[2], -g);
  atomicMax(&i[3], g);
  atomicOr(&u[0], 1u << (g % 32));
  atomicAnd(&u[1], ~(1u << (g % 16)));
  atomicXor(&u[2], 1u << (g % 2));
  atomicInc(&u[3], 99);
  atomicDec(&u[4], 99);
  atomicAdd_system(&l[0], 1ull << 32);
  atomicMax(&l[1], (unsigned long long)g);
  atomicAdd(&f[0], 0.25);
  atomicAdd_block(&d[0], 0.5);
  if (atomicExch(&u[5], 1u) == 0) u[6] = 77;
  for (unsigned seen = u[7], assumed;;) {
    assumed = seen;
    seen = atomicCAS(&u[7], assumed, assumed + 3);
    if (seen == assumed) break;
  }
}

__global__ void trap_at(int block, int thread) {
  if (blockIdx.x == block && threadIdx.x == thread) __trap();
  __syncthreads();
}
__global__ void assert_at(int thread) { assert(threadIdx.x != thread); }

struct Three {
  float a, b, c;
};
__constant__ float weights[3] = {1, 2, 3};
__device__ const int offsets[] = {10, 20, 30};
__global__ void parameters(char a, const Three by_value, long long b, double c, bool d, unsigned short e, float* __restrict__ y) {
  y[0] = a + by_value.a * weights[0] + by_value.b * weights[1] + by_value.c * weights[2] + b + c + (d ? 1000 : 0) + e + offsets[1];
}

KEVOLVE_SIMT_ENTRY(shared_forms, shared_forms<float, 16>)
KEVOLVE_SIMT_ENTRY(shared_forms_double, shared_forms<double, 8>)
KEVOLVE_SIMT_ENTRY(dynamic_forms, dynamic_forms)
KEVOLVE_SIMT_ENTRY(uninitialised, uninitialised)
KEVOLVE_SIMT_ENTRY(past_dynamic, past_dynamic)
KEVOLVE_SIMT_ENTRY(past_buffer, past_buffer)
KEVOLVE_SIMT_ENTRY(recursion, recursion)
KEVOLVE_SIMT_ENTRY(too_much_static, too_much_static)
KEVOLVE_SIMT_ENTRY(atomics, atomics)
KEVOLVE_SIMT_ENTRY(trap_at, trap_at)
KEVOLVE_SIMT_ENTRY(assert_at, assert_at)
KEVOLVE_SIMT_ENTRY(parameters, parameters)
