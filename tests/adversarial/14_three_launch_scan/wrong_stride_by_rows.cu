/*kevolve
{
  "idea": "Reduce, scan, add: partial sums of chunks, their exclusive scan by one thread per row, then each chunk is summed again from its offset.",
  "tunables": { "CHUNK": [128, 41, 100] },
  "scratch": { "offsets": { "dtype": "f32", "elements": "ROWS * ceil_div(L, CHUNK)", "alignment": 16 } },
  "launches": [
    { "kernel": "scan::reduce", "grid": ["ceil_div(ROWS * ceil_div(L, CHUNK), 64)"], "block": [64], "args": ["x", "offsets"] },
    { "kernel": "scan::exclusive", "grid": [1], "block": ["ROWS"], "args": ["offsets"] },
    { "kernel": "scan::add", "grid": ["ceil_div(ROWS * ceil_div(L, CHUNK), 64)"], "block": [64], "args": ["x", "offsets", "y"] }
  ]
}
*/
namespace scan {
constexpr int kChunks = (L + CHUNK - 1) / CHUNK;

__global__ void reduce(const float* x, float* offsets) {
  const int item = blockIdx.x * blockDim.x + threadIdx.x;
  if (item >= ROWS * kChunks) return;
  const int begin = item % kChunks * CHUNK, end = min(begin + CHUNK, L);
  float sum = 0.f;
  for (int i = begin; i < end; ++i) sum += x[item / kChunks * L + i];
  offsets[item] = sum;
}

__global__ void exclusive(float* offsets) {
  float sum = 0.f;
  for (int i = 0; i < kChunks; ++i) {
    const float next = offsets[threadIdx.x * kChunks + i];
    offsets[threadIdx.x * kChunks + i] = sum;
    sum += next;
  }
}

__global__ void add(const float* x, const float* offsets, float* y) {
  const int item = blockIdx.x * blockDim.x + threadIdx.x;
  if (item >= ROWS * kChunks) return;
  const int begin = item % kChunks * CHUNK, end = min(begin + CHUNK, L);
  float sum = offsets[item];
  for (int i = begin; i < end; ++i) {
    sum += x[item / kChunks * L + i];
    y[i % L * ROWS + item / kChunks] = sum;
  }
}
}  // namespace scan
