// What threads of a GPU pay to exchange a value, and what launches and fills cost: the figures in
// llm_client/prompts/device_sm_90a.md. Run by hand:
//   nvcc -O3 -std=c++17 -arch=sm_90a tools/measure/exchange_times.cu -o exchange_times && ./exchange_times
// Clocks are of the SM, medians of 5 runs; times are by events, behind work that hides launching, medians of 21.
#include <cooperative_groups.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

namespace cg = cooperative_groups;
constexpr int kSteps = 1000;

static void must(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::printf("%s\n", cudaGetErrorString(error));
  std::exit(1);
}

__global__ void shuffle(long long* clocks, int* sink) {
  int value = threadIdx.x;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) value = __shfl_xor_sync(~0u, value, 16) + 1;
  *clocks = clock64() - begin, *sink = value;
}
__global__ void block_barrier(long long* clocks, int*) {
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) __syncthreads();
  if (threadIdx.x == 0) *clocks = clock64() - begin;
}
// A value to every other thread of the block through shared memory: store, barrier, load, barrier.
__global__ void block_exchange(long long* clocks, int* sink) {
  __shared__ int values[1024];
  int value = threadIdx.x;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) {
    values[threadIdx.x] = value;
    __syncthreads();
    value = values[(threadIdx.x + 33) % blockDim.x] + 1;
    __syncthreads();
  }
  if (threadIdx.x == 0) *clocks = clock64() - begin;
  sink[threadIdx.x] = value;
}
__global__ void shared_load(long long* clocks, int* sink) {
  __shared__ int next[32];
  next[threadIdx.x] = (threadIdx.x * 5 + 1) % 32;
  __syncwarp();
  int at = threadIdx.x;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) at = next[at];
  *clocks = clock64() - begin, *sink = at;
}
__global__ void cluster_barrier(long long* clocks, int*) {
  cg::cluster_group cluster = cg::this_cluster();
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) cluster.sync();
  if (blockIdx.x == 0 && threadIdx.x == 0) *clocks = clock64() - begin;
}
__global__ void cluster_load(long long* clocks, int* sink) {
  __shared__ int next[32];
  cg::cluster_group cluster = cg::this_cluster();
  next[threadIdx.x % 32] = (threadIdx.x * 5 + 1) % 32;
  cluster.sync();
  const int* other = cluster.map_shared_rank(next, cluster.block_rank() ^ 1);
  int at = threadIdx.x % 32;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) at = other[at];
  if (blockIdx.x == 0 && threadIdx.x == 0) *clocks = clock64() - begin;
  sink[blockIdx.x] = at;
  cluster.sync();
}
// One thread, an atomic whose answer it waits for.
__global__ void atomic_answer(long long* clocks, int* cell) {
  int value = 0;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) value = atomicAdd(cell + (value >> 31), 1);
  *clocks = clock64() - begin, cell[1] = value;
}
// All blocks, one atomic each, on one address: the ticket of a last block.
__global__ void ticket(int* cell) {
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(cell, 1);
  }
}
// Two blocks answer each other through a flag in global memory; kSteps there and kSteps back.
__global__ void flags(long long* clocks, int* cell) {
  volatile int* flag = cell;
  const int me = blockIdx.x;
  const long long begin = clock64();
  for (int i = 0; i < kSteps; ++i) {
    while (flag[me * 64] <= i) {
    }
    __threadfence();
    flag[(1 - me) * 64] = i + 1 + me;
  }
  if (me == 0) *clocks = clock64() - begin;
}
__global__ void start_flags(int* cell) { cell[0] = 1, cell[64] = 0; }
__global__ void grid_barrier(int syncs) {
  cg::grid_group grid = cg::this_grid();
  for (int i = 0; i < syncs; ++i) grid.sync();
}
__global__ void nothing() {}
__global__ void busy(long long clocks) {
  const long long begin = clock64();
  while (clock64() - begin < clocks) {
  }
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Bench {
  long long* clocks;
  int* cells;
  cudaEvent_t begin, end;
  int sms = 0, khz = 0;
  Bench() {
    must(cudaMallocManaged(&clocks, 64));
    must(cudaMalloc(&cells, 1 << 20));
    must(cudaMemset(cells, 0, 1 << 20));
    must(cudaEventCreate(&begin)), must(cudaEventCreate(&end));
  }
  void in_clocks(const char* what, void (*kernel)(long long*, int*), int blocks, int threads, int cluster = 1) {
    std::vector<double> found;
    for (int run = 0; run < 5; ++run) {
      cudaLaunchConfig_t config{};
      config.gridDim = blocks, config.blockDim = threads;
      cudaLaunchAttribute attribute{};
      attribute.id = cudaLaunchAttributeClusterDimension;
      attribute.val.clusterDim.x = cluster, attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
      config.attrs = &attribute, config.numAttrs = cluster > 1 ? 1 : 0;
      if (kernel == flags) start_flags<<<1, 1>>>(cells);
      must(cudaLaunchKernelEx(&config, kernel, clocks, cells));
      must(cudaDeviceSynchronize());
      found.push_back(static_cast<double>(*clocks) / kSteps);
    }
    std::printf("%-58s %8.1f clocks\n", what, median(found));
  }
  double us(const std::function<void()>& work) {
    std::vector<double> found;
    for (int run = 0; run < 21; ++run) {
      busy<<<1, 1>>>(400000);
      must(cudaEventRecord(begin));
      work();
      must(cudaEventRecord(end));
      must(cudaEventSynchronize(end));
      float ms = 0;
      must(cudaEventElapsedTime(&ms, begin, end));
      found.push_back(1e3 * ms);
    }
    return median(found);
  }
  void in_us(const char* what, const std::function<void()>& work) { std::printf("%-58s %8.2f us\n", what, us(work)); }
};

static void cooperative(void* kernel, int blocks, int threads, int syncs) {
  void* arguments[] = {&syncs};
  must(cudaLaunchCooperativeKernel(kernel, blocks, threads, arguments));
}

int main() {
  cudaDeviceProp gpu;
  must(cudaGetDeviceProperties(&gpu, 0));
  const int sms = gpu.multiProcessorCount;
  std::printf("%s, %d SMs\n", gpu.name, sms);
  Bench bench;
  bench.in_clocks("shuffle within a warp, add", shuffle, 1, 32);
  bench.in_clocks("load from shared memory", shared_load, 1, 32);
  for (int threads : {128, 256, 1024}) {
    std::printf("%4d threads: ", threads);
    bench.in_clocks("__syncthreads", block_barrier, 1, threads);
    std::printf("%4d threads: ", threads);
    bench.in_clocks("store, barrier, load, barrier", block_exchange, 1, threads);
  }
  for (int cluster : {2, 4, 8}) {
    std::printf("%4d blocks:  ", cluster);
    bench.in_clocks("cluster.sync of 256 threads a block", cluster_barrier, cluster, 256, cluster);
  }
  bench.in_clocks("load from another block's shared memory", cluster_load, 2, 32, 2);
  bench.in_clocks("atomicAdd on global memory, answer awaited", atomic_answer, 1, 1);
  bench.in_clocks("flag to another block and back, with __threadfence", flags, 2, 1);
  void* const barrier = reinterpret_cast<void*>(grid_barrier);
  for (int per_sm : {1, 2, 4, 8}) {
    const double none = bench.us([&] { cooperative(barrier, sms * per_sm, 256, 0); });
    const double many = bench.us([&] { cooperative(barrier, sms * per_sm, 256, 100); });
    std::printf("grid.sync, %d blocks of 256 threads an SM %28.3f us; the launch %.2f us\n", per_sm, (many - none) / 100, none);
  }
  const auto plain = [&](int launches) {
    return bench.us([&] {
      for (int i = 0; i < launches; ++i) nothing<<<sms, 256>>>();
    });
  };
  std::printf("an empty launch of %d blocks: alone %.2f us, each further one %.2f us\n", sms, plain(1), (plain(11) - plain(1)) / 10);
  bench.in_us("a cooperative launch of as many blocks", [&] { cooperative(barrier, sms, 256, 0); });
  bench.in_us("1024 blocks taking a ticket (atomicAdd on one address)", [&] { ticket<<<1024, 256>>>(bench.cells); });
  bench.in_us("1024 blocks that take none", [&] { nothing<<<1024, 256>>>(); });
  char* memory;
  must(cudaMalloc(&memory, 1 << 28));
  for (size_t bytes : {size_t{4}, size_t{1} << 16, size_t{1} << 20, size_t{1} << 24, size_t{1} << 28}) {
    const double filled = bench.us([&] { must(cudaMemsetAsync(memory, 0, bytes)), nothing<<<sms, 256>>>(); });
    std::printf("zero fill of %9zu bytes before a launch: %8.2f us more than the launch\n", bytes, filled - plain(1));
  }
  must(cudaDeviceSynchronize());
}
