/*kevolve
{
  "idea": "One thread walks a whole row twice: maximum, distances. Slow, obvious and correct.",
  "launches": [ { "kernel": "row", "grid": ["ROWS"], "block": [1], "args": ["x", "y"] } ]
}
*/
__global__ void row(const float* x, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  float peak = in[0];
  for (int i = 1; i < L; ++i) peak = (peak > in[i] || peak != peak) ? peak : in[i];
  for (int i = 0; i < L; ++i) out[i] = SCALE * (peak - in[i]);
}
