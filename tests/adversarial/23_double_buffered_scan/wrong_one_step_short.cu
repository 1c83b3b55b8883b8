/*kevolve
{
  "idea": "Hillis and Steele's scan, double-buffered in dynamic shared memory beyond 48 KiB; a whole row at once.",
  "launches": [ { "kernel": "hillis_steele", "grid": ["ROWS"], "block": [1024], "shared_bytes": "2 * 4 * 8192", "args": ["x", "y"] } ],
  "constraints": ["L <= 8192"]
}
*/
__global__ void hillis_steele(const float* g_idata, float* g_odata) {
  extern __shared__ float temp[];
  int pout = 0, pin = 1;
  for (int i = threadIdx.x; i < 8192; i += blockDim.x) temp[i] = i < L ? g_idata[blockIdx.x * L + i] : 0.0f;
  __syncthreads();
  for (int offset = 1; offset < 4096; offset *= 2) {
    pout = 1 - pout;
    pin = 1 - pout;
    for (int i = threadIdx.x; i < 8192; i += blockDim.x)
      temp[pout * 8192 + i] = i >= offset ? temp[pin * 8192 + i] + temp[pin * 8192 + i - offset] : temp[pin * 8192 + i];
    __syncthreads();
  }
  for (int i = threadIdx.x; i < L; i += blockDim.x) g_odata[blockIdx.x * L + i] = temp[pout * 8192 + i];
}
