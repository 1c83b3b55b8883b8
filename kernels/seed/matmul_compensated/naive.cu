/*kevolve
{
  "idea": "One thread computes one element of the product by walking a row of a and a column of b. Slow, obvious and correct.",
  "launches": [
    { "kernel": "matmul_element", "grid": ["ceil_div(N, 16)", "ceil_div(M, 16)"], "block": [16, 16],
      "args": ["a", "b", "c"] }
  ]
}
*/
__global__ void matmul_element(const float* a, const float* b, float* c) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row >= M || column >= N) return;
  float sum = 0.0f;
  for (int k = 0; k < K; ++k) sum += a[(long long)row * K + k] * b[(long long)k * N + column];
  c[(long long)row * N + column] = sum;
}
