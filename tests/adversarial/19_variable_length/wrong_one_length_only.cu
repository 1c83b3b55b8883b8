/*kevolve
{
  "idea": "The length is an argument: vectors of four while they last, then single elements.",
  "launches": [
    { "kernel": "scale_shift", "grid": ["ceil_div(COUNT, 1024)"], "block": [256], "args": ["x", "z", "y", { "i32": "COUNT" }] }
  ]
}
*/
__global__ void scale_shift(const float* x, const float* z, float* y, int count) {
  const int first = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (first + 3 < count) {
    const float4 a = *(const float4*)(x + first);
    const float4 b = *(const float4*)(z + first);
    float4 r = {2 * a.x + b.x, 2 * a.y + b.y, 2 * a.z + b.z, 2 * a.w + b.w};
    r.x = r.x < 0 ? 0 : r.x;
    r.y = r.y < 0 ? 0 : r.y;
    r.z = r.z < 0 ? 0 : r.z;
    r.w = r.w < 0 ? 0 : r.w;
    *(float4*)(y + first) = r;
    return;
  }
}
