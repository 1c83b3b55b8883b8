// Kernels of the harness itself, for the judge's and the runner's context. Compiled like a candidate.

// Reads `vectors` 16-byte vectors and keeps nothing: afterwards the L2 cache holds these and no dirty lines, so
// that writing them back costs the next kernel nothing.
extern "C" __global__ void flush_l2(const uint4* __restrict__ from, unsigned long long vectors, unsigned* sink) {
  const unsigned long long step = (unsigned long long)gridDim.x * blockDim.x;
  unsigned seen = 0;
  for (unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x; i < vectors; i += step) {
    const uint4 v = from[i];
    seen |= v.x | v.y | v.z | v.w;
  }
  if (seen == 0xFFFFFFFFu) *sink = seen;  // never: the buffer is zero
}

// Leaves a pattern in the shared memory of every SM, so that nothing can be found there which an earlier launch
// has left. One block to an SM, each with all the shared memory that a block may have.
extern "C" __global__ void scrub_shared(unsigned pattern, unsigned words) {
  extern __shared__ volatile unsigned shared[];
  for (unsigned i = threadIdx.x; i < words; i += blockDim.x) shared[i] = pattern;
}

// Cycles of this SM, nanoseconds of the GPU, and which SM it is: two of these give the SM's clock between them.
extern "C" __global__ void read_clock(unsigned long long* reading) {
  unsigned long long nanoseconds;
  unsigned sm;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
  reading[0] = clock64();
  reading[1] = nanoseconds;
  reading[2] = sm;
}

// Keeps the stream waiting, so that what is queued behind it is all there when it begins.
extern "C" __global__ void delay(unsigned long long nanoseconds) {
  unsigned long long begin, now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
  do {
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  } while (now - begin < nanoseconds);
}
