/*kevolve
{
  "idea": "A warp per row reduces through volatile-free shared memory with __syncwarp between the steps.",
  "launches": [ { "kernel": "warp_rows", "grid": ["ceil_div(ROWS, 2)"], "block": [64], "args": ["x", "y"] } ]
}
*/
__global__ void warp_rows(const float* x, float* y)
{
	__shared__ float buf[2][32];
	const int w = threadIdx.x / 32, l = threadIdx.x % 32, row = 2 * blockIdx.x + w;
	if (row >= ROWS) return;          // whole warps leave
	float acc[4] = {};
	int i = l;
	for (; i + 96 < L; i += 128)
		for (int u = 0; u < 4; u++) acc[u] += x[row * L + i + 32 * u];
	buf[w][l] = (acc[0] + acc[1]) + (acc[2] + acc[3]);
	__syncwarp();
	for (int s = 16; s; s >>= 1) {
		float v = l < s ? buf[w][l + s] : 0.f;
		__syncwarp();
		if (l < s) buf[w][l] += v;
		__syncwarp();
	}
	if (l == 0) y[row] = buf[w][0];
}
