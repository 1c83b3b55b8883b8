/*kevolve
{
  "idea": "One cooperative launch: each block reduces slices of rows, the grid synchronises, and everybody normalises with the merged statistics.",
  "tunables": { "SLICES": [4, 2, 5], "BLOCK": [128, 64] },
  "constraints": ["L % SLICES == 0"],
  "scratch": { "stats": { "dtype": "f32", "elements": "ROWS * SLICES * 2" } },
  "launches": [
    { "kernel": "softmax_grid", "grid": ["SLICES"], "block": ["BLOCK"], "cooperative": true, "args": ["x", "stats", "y"] }
  ]
}
*/
#include <cooperative_groups.h>
namespace cg = cooperative_groups;

__global__ void softmax_grid(const float* x, float2* stats, float* y) {
  cg::grid_group grid = cg::this_grid();
  cg::thread_block block = cg::this_thread_block();
  __shared__ float values[BLOCK];
  constexpr int slice = L / SLICES;
  const int first = blockIdx.x * slice;
  for (int row = 0; row < ROWS; ++row) {
    const float* in = x + (size_t)row * L + first;
    float top = -__int_as_float(0x7f800000);
    for (int i = block.thread_rank(); i < slice; i += block.size()) top = top != top || top > in[i] ? top : in[i];
    values[block.thread_rank()] = top;
    block.sync();
    for (int i = 0; i < BLOCK; ++i) top = top != top || top > values[i] ? top : values[i];
    block.sync();
    float sum = 0;
    for (int i = block.thread_rank(); i < slice; i += block.size()) sum += expf(in[i] - top);
    values[block.thread_rank()] = sum;
    block.sync();
    if (block.thread_rank() == 0) {
      sum = 0;
      for (int i = 0; i < BLOCK; ++i) sum += values[i];
      stats[row * SLICES + blockIdx.x] = make_float2(top, sum);
    }
    block.sync();
  }
  for (int row = 0; row < ROWS; ++row) {
    float top = stats[row * SLICES].x;
    for (int s = 1; s < SLICES; ++s) {
      const float other = stats[row * SLICES + s].x;
      top = top != top || top > other ? top : other;
    }
    float sum = 0;
    for (int s = 0; s < SLICES; ++s) sum += stats[row * SLICES + s].y * expf(stats[row * SLICES + s].x - top);
    for (int i = threadIdx.x; i < slice; i += BLOCK) {
      const size_t at = (size_t)row * L + first + i;
      y[at] = expf(x[at] - top) / sum;
    }
  }
}
