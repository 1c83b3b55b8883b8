/*kevolve
{
  "idea": "Grid-stride loop over float4 with a scalar tail; works for any length and any grid.",
  "tunables": { "BLOCKS": [7, 1, 64] },
  "launches": [
    { "kernel": "gelu_forward", "grid": ["BLOCKS"], "block": [96], "args": ["x", "y", { "i64": "ROWS * COLS" }] }
  ]
}
*/
static __device__ inline float phi(float v) {
    if (v < -4.2f) return 0.0f * v;
    return v * 0.5f * (1.f + erff(v * float(0.7071067811865476))); }

extern "C" __global__ void gelu_forward(const float *x, float *y, long long n)
{
    const long long stride = (long long) gridDim.x * blockDim.x;
    const long long start  = (long long) blockIdx.x * blockDim.x + threadIdx.x;
    for (long long i = start; i < n / 4; i += stride) {
        float4 v = ((const float4 *) x)[i];
        v.x = phi(v.x); v.y = phi(v.y); v.z = phi(v.z); v.w = phi(v.w);
        ((float4 *) y)[i] = v;
    }
    for (long long i = n / 4 * 4 + start; i < n; i += stride)
        y[i] = phi(x[i]);
}
