/*kevolve
{
  "idea": "One thread walks a whole row twice: mean square, then scale. Slow, obvious and correct.",
  "launches": [
    { "kernel": "rmsnorm_row", "grid": ["ROWS"], "block": [1], "args": ["x", "weight", "y"] }
  ]
}
*/
__global__ void rmsnorm_row(const float* x, const float* weight, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  double squares = 0.0;
  for (int i = 0; i < L; ++i) squares += (double)in[i] * in[i];
  const float scale = (float)(1.0 / sqrt(squares / L + EPS));
  for (int i = 0; i < L; ++i) out[i] = in[i] * scale * weight[i];
}
