/*kevolve
{
  "idea": "One thread walks a whole row three times: maximum, sum of exponentials, divide. Slow, obvious and correct.",
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": [1], "args": ["x", "y"] }
  ]
}
*/
__global__ void softmax_row(const float* x, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  float largest = in[0];
  for (int i = 1; i < L; ++i) largest = in[i] > largest ? in[i] : largest;
  double sum = 0.0;
  for (int i = 0; i < L; ++i) sum += expf(in[i] - largest);
  const float scale = (float)(1.0 / sum);
  for (int i = 0; i < L; ++i) out[i] = expf(in[i] - largest) * scale;
}
