#include "core/search/novelty.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "core/search/playbook.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const Pairs kParaphrases = {
    {"Split each row over 16 blocks: partial sums first, then merge, so that all SMs work.",
     "Divide every row among 32 thread blocks; the partial sums are combined in a second kernel so no SM "
     "idles."},
    {"Split over 16 blocks.", "Split over 32 blocks."},
    {"Use float4 loads and stores so that each thread moves 128 bits per instruction.",
     "Vectorize global memory access with 128-bit (float4) loads and stores."},
    {"Keep the whole row in shared memory so that x is read from DRAM only once.",
     "Cache each row in smem to read the input from global memory a single time."},
    {"Use warp shuffles for the reduction instead of shared memory and barriers.",
     "Replace the shared-memory reduction with warp shuffle reductions to remove __syncthreads barriers."},
    {"Double-buffer shared memory tiles with cp.async so that loads overlap computation.",
     "Prefetch the next tile asynchronously into a second shared-memory buffer while computing the current "
     "one (cp.async double buffering)."},
    {"Launch a persistent grid of num_sms blocks, each of which strides over rows.",
     "Use persistent blocks: one block per SM loops over the rows with a grid stride."},
    {"Fuse both passes: compute mean and variance in one pass by Welford's algorithm.",
     "Single-pass Welford statistics: mean and variance are computed together in one read of the row."},
    {"Replace expf by a branch-free polynomial approximation of 2^x.",
     "Approximate the exponential with a branchless polynomial instead of calling expf."},
    {"Use wgmma tensor cores with TMA-loaded 128-byte-swizzled tiles.",
     "Move the multiplication to Hopper tensor cores (wgmma), feeding swizzled tiles through TMA."},
    {"Stage tiles of A and B in shared memory so that every element is loaded once per block instead of once "
     "per thread.",
     "Load A and B tiles into smem first; each block then reads an element only once rather than once for "
     "each of its threads."},
    {"Give every thread an 8x8 register tile of the output so that each operand loaded from shared memory is "
     "reused eight times.",
     "Register blocking: let each thread accumulate a 4x4 tile of outputs in registers, reusing "
     "shared-memory operands."},
    {"Merge the two launches into a cooperative kernel with a grid-wide sync, so that the row statistics "
     "never leave the chip.",
     "Fuse both kernels into one cooperative launch using grid.sync(), avoiding the round trip of row "
     "statistics through memory."},
    {"Let the last block to finish a row combine the partial results, found by an atomic ticket, saving the "
     "second launch.",
     "Use an atomic counter per row so the final block merges the partials itself; the second kernel launch "
     "disappears."},
    {"Use online softmax: keep a running maximum and rescale the sum, so that the row is read twice instead "
     "of three times.",
     "Compute max and sum in a single sweep with the online softmax recurrence (rescaling the running sum), "
     "eliminating one read of the row."},
    {"Pad the shared-memory tile by one column to remove bank conflicts on the transposed reads.",
     "Avoid shared memory bank conflicts by adding a padding column to the tile."},
    {"Repack the weights in prepare so that the filters of one tap are contiguous.",
     "In a prepare launch, rearrange the constant weights such that all filters for a given tap lie next to "
     "each other."},
    {"Assign a cluster of 4 blocks to each row and exchange the partial sums through distributed shared "
     "memory.",
     "Use thread block clusters of size 8: blocks of one row reduce their sums via DSMEM."},
    {"Unroll the inner loop by 4 with independent accumulators to raise instruction-level parallelism.",
     "Increase ILP by unrolling the loop eight times and using separate accumulators."}};

const Pairs kDifferent = {
    {"Keep the row in shared memory.", "Keep the row in registers."},
    {"Use warp shuffles for the reduction.", "Use atomics for the reduction."},
    {"Split each row over many blocks, merging partial sums in a second launch.",
     "Split each row over many blocks, the last block to finish merges partial sums by an atomic ticket."},
    {"Double-buffer shared memory tiles with cp.async so that loads overlap computation.",
     "Pad shared memory tiles by one column so that bank conflicts disappear."},
    {"Use wgmma tensor cores with TMA-loaded swizzled tiles.",
     "Use register tiles of 8 x 8 with fp32 FMA and 128-bit shared loads."},
    {"Launch a persistent grid of num_sms blocks which stride over rows.",
     "One warp per row so that no block barrier is needed."},
    {"Spread each row over a cluster of blocks that exchange sums through distributed shared memory.",
     "Split each row over blocks and exchange sums through scratch in two launches."},
    {"Compute mean and variance in one pass by Welford's algorithm.",
     "Compute mean and variance by Chan's pairwise merge of tiles, two exact sweeps per tile."},
    {"Order tiles along a Hilbert curve so that L2 hits rise.",
     "Use evict-first hints on streaming stores so that L2 keeps the reused tensor."},
    {"Use 128-bit loads and stores.", "Use 128-bit loads and keep four independent accumulators per thread."},
    {"Stage tiles of A in shared memory, B straight from global memory.",
     "Use wgmma with both operands in shared memory filled by TMA."},
    {"Split K over several blocks and add the partial tiles in a second kernel.",
     "Order the tiles for L2 reuse by swizzling block indices."},
    {"Use online softmax: keep a running maximum and rescale the sum.",
     "Keep the whole row in registers so that softmax needs one read."},
    {"Replace erff by a table of cubic Hermite coefficients.",
     "Replace erff by a branch-free rational polynomial."},
    {"One warp per row with shuffles only.", "One block per row with shared-memory reduction."},
    {"Load with 128-bit vectors.", "Load with TMA bulk copies into shared memory."},
    {"Process rows backwards in the second launch so that the rows read last are found in L2.",
     "Split each row over blocks so that few rows fill the device."},
    {"Use evict-first streaming stores for the output.", "Use 128-bit stores for the output."},
    {"Precompute 1/(sigma) once per row in a tiny launch.",
     "Fuse normalisation with the statistics using a cooperative launch."},
    {"Use launch bounds to cap registers and raise occupancy.",
     "Use larger register tiles to raise reuse at lower occupancy."}};

}  // namespace

TEST_CASE("paraphrases are recognised, whichever comes first") {
  for (const auto& [a, b] : kParaphrases) {
    INFO(a << "\n" << b << "\n" << resemblance(a, b));
    CHECK(near_duplicate(a, {b}) == 0U);
    CHECK(near_duplicate(b, {a}) == 0U);
  }
}

TEST_CASE("different ideas are not taken for the same") {
  for (const auto& [a, b] : kDifferent) {
    INFO(a << "\n" << b << "\n" << resemblance(a, b));
    CHECK_FALSE(near_duplicate(a, {b}));
    CHECK_FALSE(near_duplicate(b, {a}));
  }
}

TEST_CASE("all ideas of the seeds' playbooks are new to each other") {
  for (const auto& folder : std::filesystem::directory_iterator(KEVOLVE_SOURCE_DIR "/kernels/seed")) {
    const auto op = load_operator(folder.path());
    REQUIRE(op);
    const auto entries = load_playbook(*op);
    REQUIRE(entries);
    std::vector<std::string> known;
    for (const PlaybookEntry& entry : *entries) {
      INFO(op->name << ": " << entry.key);
      CHECK_FALSE(near_duplicate(entry.header.idea, known));
      known.push_back(entry.header.idea);
    }
  }
}

TEST_CASE("other values of a tunable are no other idea") {
  CHECK(near_duplicate("Split over 16 blocks.", {"Split over 32 blocks."}) == 0U);
  CHECK(near_duplicate("Use a 64x64 tile with 4 stages.", {"Use a 128 x 128 tile with 3 stages."}) == 0U);
  CHECK(near_duplicate("Unroll 8 times.", {"Unroll 4 times."}) == 0U);
}

TEST_CASE("the most similar known text is named") {
  const std::vector<std::string> known = {"Keep the row in registers.",
                                          "Use warp shuffles for the reduction of rows in shared memory.",
                                          "Use warp shuffles for the reduction."};
  CHECK(near_duplicate("Warp shuffles for the reduction", known) == 2U);
  CHECK(near_duplicate(known[1], known) == 1U);
  CHECK_FALSE(near_duplicate("Split the rows.", known));
}

TEST_CASE("texts of few words and of none") {
  CHECK_FALSE(near_duplicate("Tensor cores.", {"Tensor tiles."}));
  CHECK(near_duplicate("Use tensor cores!", {"use the Tensor Core"}) == 0U);
  CHECK_FALSE(near_duplicate("", {"Use tensor cores."}));
  CHECK_FALSE(near_duplicate("Use tensor cores.", {}));
  CHECK_FALSE(near_duplicate("Use tensor cores.", {"", "\xFF\xFE"}));
}
