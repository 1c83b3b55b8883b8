/*kevolve
{
  "idea": "One thread adds up a whole row from left to right. Slow, obvious and correct.",
  "launches": [
    { "kernel": "sum_row", "grid": ["ROWS"], "block": [1], "args": ["x", "y"] }
  ]
}
*/
__global__ void sum_row(const float* x, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  double sum = 0.0;
  for (int i = 0; i < L; ++i) sum += in[i];
  y[blockIdx.x] = (float)sum;
}
