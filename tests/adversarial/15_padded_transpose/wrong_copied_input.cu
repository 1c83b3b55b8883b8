/*kevolve
{
  "idea": "32 x 32 tiles through shared memory with one column of padding; 32 x 8 threads, four rows each.",
  "launches": [
    { "kernel": "transposeNoBankConflicts", "grid": ["ceil_div(COLS, 32)", "ceil_div(ROWS, 32)"], "block": [32, 8], "args": ["y", "x"] }
  ]
}
*/
const int TILE = 32, BLOCK_ROWS = 8;

__global__ void transposeNoBankConflicts(float *odata, const float *idata)
{
  __shared__ float tile[TILE][TILE+1];
  int x = blockIdx.x * TILE + threadIdx.x;
  int y = blockIdx.y * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += BLOCK_ROWS)
    if (x < COLS && y + j < ROWS) tile[threadIdx.y+j][threadIdx.x] = idata[(y+j)*COLS + x];
  __syncthreads();
  x = blockIdx.y * TILE + threadIdx.x;
  y = blockIdx.x * TILE + threadIdx.y;
  for (int j = 0; j < TILE; j += BLOCK_ROWS)
    if (x < ROWS && y + j < COLS) odata[(y+j)*ROWS + x] = idata[(y+j)*ROWS + x];
}
