/*kevolve
{
  "idea": "Warp-aggregated atomics: __match_any_sync finds the lanes with the same bin, the lowest of them adds their number at once; __ballot_sync builds the mask of the ragged end.",
  "scratch": { "bins": { "dtype": "i32", "elements": "64", "init": "zero" } },
  "launches": [
    { "kernel": "aggregate", "grid": ["5"], "block": [64], "args": ["x", "bins"] },
    { "kernel": "widen", "grid": [2], "block": [32], "args": ["bins", "y"] }
  ]
}
*/
__global__ void aggregate(const int* x, int* bins)
{
    const int lane = threadIdx.x & 31;
    const int warps = gridDim.x * blockDim.x / 32;
    for (int base = (blockIdx.x * blockDim.x + threadIdx.x) / 32 * 32; base < N; base += 32 * warps) {
        const bool inside = base + lane < N;
        const unsigned active = __ballot_sync(0xffffffffu, inside);
        if (inside) {
            const int bin = x[base + lane];
            const unsigned peers = __match_any_sync(active, bin);
            if (lane == __ffs(peers) - 1) atomicAdd(bins + bin, __popc(peers));
        }
        __syncwarp();
    }
}

__global__ void widen(const int* bins, long long* y)
{
    const int b = blockIdx.x * blockDim.x + threadIdx.x;
    y[b] = bins[b];
}
