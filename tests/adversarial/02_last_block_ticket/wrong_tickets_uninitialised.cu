/*kevolve
{
  "idea": "Split each row over SPLIT blocks; the block that takes the last ticket of its row merges the partial moments, and a second launch normalises.",
  "tunables": { "SPLIT": [5, 1, 10], "BLOCK": [128] },
  "constraints": ["L % SPLIT == 0"],
  "scratch": {
    "partial": { "dtype": "f32", "elements": "ROWS * SPLIT * 2" },
    "moments": { "dtype": "f32", "elements": "ROWS * 2" },
    "tickets": { "dtype": "i32", "elements": "ROWS" }
  },
  "launches": [
    { "kernel": "gather", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "partial", "moments", "tickets"] },
    { "kernel": "apply", "grid": ["ceil_div(L, BLOCK)", "ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "bias", "moments", "y"] }
  ]
}
*/
#define CHUNK (L / SPLIT)

__device__ float block_sum(float v, float* shared)
{
	shared[threadIdx.x] = v;
	__syncthreads();
	for (unsigned s = blockDim.x / 2; s > 0; s >>= 1) {
		if (threadIdx.x < s) shared[threadIdx.x] += shared[threadIdx.x + s];
		__syncthreads();
	}
	float r = shared[0];
	__syncthreads();
	return r;
}

__global__ void gather(const float* x, volatile float* partial, float* moments, int* tickets)
{
	__shared__ float buf[BLOCK];
	__shared__ bool last;
	const float* p = x + (size_t)blockIdx.y * L + blockIdx.x * CHUNK;
	float s = 0.f;
	for (int i = threadIdx.x; i < CHUNK; i += blockDim.x) s += p[i];
	float mean = block_sum(s, buf) / CHUNK;
	float q = 0.f;
	for (int i = threadIdx.x; i < CHUNK; i += blockDim.x) q += (p[i] - mean) * (p[i] - mean);
	q = block_sum(q, buf);
	if (threadIdx.x == 0) {
		partial[2 * (blockIdx.y * SPLIT + blockIdx.x)] = mean;
		partial[2 * (blockIdx.y * SPLIT + blockIdx.x) + 1] = q;
		__threadfence();
		last = atomicAdd(&tickets[blockIdx.y], 1) == SPLIT - 1;
	}
	__syncthreads();
	if (!last) return;
	if (threadIdx.x == 0) {
		__threadfence();
		float m = 0.f, v = 0.f;
		for (int i = 0; i < SPLIT; i++) m += partial[2 * (blockIdx.y * SPLIT + i)];
		m /= SPLIT;
		for (int i = 0; i < SPLIT; i++) {
			float d = partial[2 * (blockIdx.y * SPLIT + i)] - m;
			v += partial[2 * (blockIdx.y * SPLIT + i) + 1] + d * d * CHUNK;
		}
		moments[2 * blockIdx.y] = m;
		moments[2 * blockIdx.y + 1] = rsqrtf(v / L + EPS);
	}
}

__global__ void apply(const float* x, const float* weight, const float* bias, const float* moments, float* y)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i >= L) return;
	size_t at = (size_t)blockIdx.y * L + i;
	y[at] = (x[at] - moments[2 * blockIdx.y]) * moments[2 * blockIdx.y + 1] * weight[i] + bias[i];
}
