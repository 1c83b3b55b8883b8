/*kevolve
{
  "idea": "A tile of 32 threads owns a row: float4 loads, a shuffle reduction inside the tile, no shared memory and no block barrier.",
  "tunables": { "TILES": [4, 1, 8] },
  "constraints": ["L % 4 == 0"],
  "launches": [
    { "kernel": "rms_norm", "grid": ["ceil_div(ROWS, TILES)"], "block": [32, "TILES"], "args": ["x", "weight", "y"] }
  ]
}
*/
#include <cooperative_groups.h>

__global__ void rms_norm(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
  auto block = cooperative_groups::this_thread_block();
  auto tile = cooperative_groups::tiled_partition<32>(block);
  const int row = blockIdx.x * TILES + threadIdx.y;
  if (row >= ROWS) return;
  const float4* in = reinterpret_cast<const float4*>(x) + row * (L / 4);
  const float4* scale = reinterpret_cast<const float4*>(weight);
  float4* out = reinterpret_cast<float4*>(y) + row * (L / 4);
  float squares = 0.f;
  for (int i = tile.thread_rank(); i < L / 4; i += tile.size()) {
    const float4 v = in[i];
    squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  for (int offset = tile.size() / 2; offset > 0; offset >>= 1) squares += tile.shfl_down(squares, offset);
  squares = tile.shfl(squares, 0);
  const float r = rsqrtf(squares / L);
  for (int i = tile.thread_rank(); i < L / 4; i += tile.size()) {
    const float4 v = in[i], w = __ldg(scale + i);
    out[i] = make_float4(v.x * r * w.x, v.y * r * w.y, v.z * r * w.z, v.w * r * w.w);
  }
}
