// Kernels of barriers_test.cpp.
#include <cooperative_groups.h>
#include <cuda_runtime.h>

__global__ void block_sum(const float* x, float* y) {
  __shared__ float s[256];
  const unsigned t = threadIdx.x;
  s[t] = x[blockIdx.x * blockDim.x + t];
  __syncthreads();
  for (unsigned o = blockDim.x / 2; o > 0; o >>= 1) {
    if (t < o) s[t] += s[t + o];
    __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = s[0];
}

__global__ void block_sum_without_barrier(const float* x, float* y) {
  __shared__ float s[256];
  const unsigned t = threadIdx.x;
  s[t] = x[blockIdx.x * blockDim.x + t];
  __syncthreads();
  for (unsigned o = blockDim.x / 2; o > 0; o >>= 1) {
    if (t < o) s[t] += s[t + o];
  }
  if (t == 0) y[blockIdx.x] = s[0];
}

// The neighbour's value is read in the same stretch in which it is written.
__global__ void neighbour_race(int* y) {
  __shared__ int s[256];
  const int t = threadIdx.x;
  s[t] = 0;
  __syncthreads();
  s[t] = t + 1;
  y[t] = s[(t + 1) % blockDim.x];
}

__global__ void predicates(int* y) {
  const int t = threadIdx.x;
  const int count = __syncthreads_count(t % 3 == 0);
  const int all = __syncthreads_and(t < 200), every = __syncthreads_and(t >= 0);
  const int any = __syncthreads_or(t == 7), none = __syncthreads_or(t < 0);
  if (t == blockDim.x - 1) y[0] = count, y[1] = all, y[2] = every, y[3] = any, y[4] = none;
}

__global__ void early_exit(int* y, int n) {
  __shared__ int s[256];
  const int t = threadIdx.x;
  s[t] = 1;
  if (t >= n) return;
  __syncthreads();
  s[t] += 1;
  __syncthreads();
  y[t] = s[(t + 1) % n] + __syncthreads_count(1);
}

__global__ void half_wait_at_block_barrier_half_at_warp(int* y) {
  if (threadIdx.x % 32 < 16) __syncthreads();
  else __syncwarp();
  y[threadIdx.x] = 1;
}

__global__ void indices(int* y, unsigned* shape) {
  const unsigned rank = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  __syncthreads();
  y[block * 24 + rank] = 100 * (blockIdx.x + 10 * blockIdx.y) + threadIdx.x + 10 * threadIdx.y;
  if (rank == 0 && block == 0) shape[0] = gridDim.x, shape[1] = gridDim.z, shape[2] = blockDim.y, shape[3] = warpSize;
}

__global__ void grid_stages(int* x, int* y, int n) {
  auto grid = cooperative_groups::this_grid();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  __shared__ int mine[64];
  mine[threadIdx.x] = i;
  for (int stage = 0; stage < 5; ++stage) {
    x[i] = stage * 1000 + i;
    grid.sync();
    y[i] = x[(i + 77) % n];
    grid.sync();
  }
  y[i] += mine[threadIdx.x] * 0 + (mine[threadIdx.x] == i ? 0 : 1000000);
}

__global__ void grid_barrier_that_one_block_skips(int* y) {
  if (blockIdx.x == 1) return;
  cooperative_groups::this_grid().sync();
  y[blockIdx.x] = 1;
}

__global__ void lock_in_global_memory(int* lock, int* counter) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      const int seen = *(volatile int*)counter;
      __threadfence();
      *(volatile int*)counter = seen + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}

// Thread 0 waits for the last thread of its block, which has not begun yet.
__global__ void wait_for_later_thread(int* flag, int* y) {
  if (threadIdx.x == 0) {
    while (atomicAdd(flag, 0) == 0) {
    }
    y[0] = 42;
  }
  if (threadIdx.x == blockDim.x - 1) atomicExch(flag, 1);
}

// Block 0 waits for the last one, which this OS thread has to begin in the meantime.
__global__ void wait_for_later_block(int* flag, int* y) {
  if (blockIdx.x == 0) {
    while (atomicAdd(flag, 0) == 0) __nanosleep(10);
    y[threadIdx.x] = 42;
  }
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) atomicExch(flag, 1);
}

__global__ void last_block_adds_up(const float* x, float* partial, unsigned* ticket, float* y) {
  __shared__ float s[64];
  __shared__ bool last;
  s[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) {
    float sum = 0;
    for (int i = 0; i < 64; ++i) sum += s[i];
    partial[blockIdx.x] = sum;
    __threadfence();
    last = atomicInc(ticket, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) sum += ((volatile float*)partial)[i];
    y[0] = sum;
  }
}

KEVOLVE_SIMT_ENTRY(block_sum, block_sum)
KEVOLVE_SIMT_ENTRY(block_sum_without_barrier, block_sum_without_barrier)
KEVOLVE_SIMT_ENTRY(neighbour_race, neighbour_race)
KEVOLVE_SIMT_ENTRY(predicates, predicates)
KEVOLVE_SIMT_ENTRY(early_exit, early_exit)
KEVOLVE_SIMT_ENTRY(divergent, half_wait_at_block_barrier_half_at_warp)
KEVOLVE_SIMT_ENTRY(indices, indices)
KEVOLVE_SIMT_ENTRY(grid_stages, grid_stages)
KEVOLVE_SIMT_ENTRY(grid_skip, grid_barrier_that_one_block_skips)
KEVOLVE_SIMT_ENTRY(lock, lock_in_global_memory)
KEVOLVE_SIMT_ENTRY(later_thread, wait_for_later_thread)
KEVOLVE_SIMT_ENTRY(later_block, wait_for_later_block)
KEVOLVE_SIMT_ENTRY(last_block, last_block_adds_up)
