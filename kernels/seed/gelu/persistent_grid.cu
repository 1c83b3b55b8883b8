/*kevolve
{
  "idea": "Launch only as many blocks as the device holds (num_sms * PER_SM) and let each stride over the tensor: launch and index set-up are paid once per thread instead of once per element, and there is no partial last wave. VEC contiguous elements per step.",
  "tunables": { "PER_SM": [8, 1, 2, 4, 16], "BLOCK": [128, 32, 256], "VEC": [4, 1, 16, 64] },
  "constraints": ["ROWS * COLS % VEC == 0"],
  "launches": [
    { "kernel": "gelu_persistent", "grid": ["num_sms * PER_SM"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "Many short waves, or a fractional last one; threads that do a handful of instructions each."
  }
}
*/
__device__ __forceinline__ float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752440f)); }

__global__ void __launch_bounds__(BLOCK) gelu_persistent(const float* __restrict__ x, float* __restrict__ y) {
  const long long groups = (long long)ROWS * COLS / VEC;
  const long long stride = (long long)gridDim.x * BLOCK;
  for (long long g = (long long)blockIdx.x * BLOCK + threadIdx.x; g < groups; g += stride) {
    const float* in = x + g * VEC;
    float* out = y + g * VEC;
#pragma unroll
    for (int i = 0; i < VEC; ++i) out[i] = gelu(in[i]);
  }
}
