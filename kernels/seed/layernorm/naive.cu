/*kevolve
{
  "idea": "One thread walks a whole row three times: mean, variance, normalise. Slow, obvious and correct.",
  "launches": [
    { "kernel": "layernorm_row", "grid": ["ROWS"], "block": [1], "args": ["x", "weight", "bias", "y"] }
  ]
}
*/
__global__ void layernorm_row(const float* x, const float* weight, const float* bias, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  double sum = 0.0;
  for (int i = 0; i < L; ++i) sum += in[i];
  const double mean = sum / L;
  double squares = 0.0;
  for (int i = 0; i < L; ++i) squares += (in[i] - mean) * (in[i] - mean);
  const float scale = (float)(1.0 / sqrt(squares / L + EPS));
  for (int i = 0; i < L; ++i) out[i] = (float)(in[i] - mean) * scale * weight[i] + bias[i];
}
