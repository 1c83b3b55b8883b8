/*kevolve
{
  "idea": "The textbook kernel: 16 x 16 tiles in static shared memory with zero-padded tails.",
  "launches": [
    { "kernel": "MatMul", "grid": ["ceil_div(N, 16)", "ceil_div(M, 16)"], "block": [16, 16],
      "args": ["a", "b", "c", { "i32": "M" }, { "i32": "N" }, { "i32": "K" }] }
  ]
}
*/
#define TILE_DIM 16

__global__ void MatMul(const float *A, const float *B, float *C, int ARows, int BCols, int ACols) {
    float CValue = 0;
    int Row = blockIdx.y * TILE_DIM + threadIdx.y;
    int Col = blockIdx.x * TILE_DIM + threadIdx.x;
    __shared__ float As[TILE_DIM][TILE_DIM];
    __shared__ float Bs[TILE_DIM][TILE_DIM];
    for (int k = 0; k < (TILE_DIM + ACols - 1) / TILE_DIM; k++) {
        if (k * TILE_DIM + threadIdx.x < ACols && Row < ARows)
            As[threadIdx.y][threadIdx.x] = A[Row * ACols + k * TILE_DIM + threadIdx.x];
        if (k * TILE_DIM + threadIdx.y < ACols && Col < BCols)
            Bs[threadIdx.y][threadIdx.x] = B[(k * TILE_DIM + threadIdx.y) * BCols + Col];
        __syncthreads();
        for (int n = 0; n < TILE_DIM; ++n)
            CValue += As[threadIdx.y][n] * Bs[n][threadIdx.x];
        __syncthreads();
    }
    if (Row < ARows && Col < BCols)
        C[((blockIdx.y * blockDim.y + threadIdx.y) * BCols) + (blockIdx.x * blockDim.x) + threadIdx.x] = CValue;
}
