// The elements that are wrong: how many, where, which is the worst, and a sample of them in order.

// By how much element i of a tile is what is sought; negative when it is not. Reads the noise anew for each
// element: with it in registers judge_sample spills.
template <class S>
double excess(const JudgeSearch& search, uint64_t i, uint64_t tile) {
  const JudgeSubject& subject = search.subject;
  const typename S::Bits answer = bits_of<S>(subject.answer)[i], other = bits_of<S>(subject.torch)[i];
  if (search.seek == Seek::differing) return same_bits<S>(answer, other) ? -1 : 1;
  if (search.seek == Seek::unwritten) {
    const bool both = answer == poisoned_bits<S>(static_cast<uint8_t>(search.poison)) &&
                      other == poisoned_bits<S>(static_cast<uint8_t>(search.torch_poison));
    return both ? 1 : -1;
  }
  const Right right(subject.oracle[i], S::value(other), subject.type);
  const double needed = needed_allowance(S::value(answer), right, subject.noise[tile], subject.type);
  return needed > search.allowed ? needed : -1;
}

// visit(index, excess) for every element, by a warp in step, in ascending order; the index is past the end
// for lanes that have no element left. Warps take tiles in order too, so that what they find stays sorted.
template <class S, class Visit>
void walk(const JudgeSearch& search, Visit visit) {
  const Tiles& tiles = search.subject.tiles;
  const uint64_t warps = static_cast<uint64_t>(gridDim.x) * kJudgeWarps, warp = thread_number() / 32;
  const uint64_t last = tiles.number * (warp + 1) / warps;
  for (uint64_t tile = tiles.number * warp / warps; tile < last; ++tile) {
    const uint64_t begin = tiles.begin(tile), end = begin + tiles.size(tile);
    for (uint64_t first = begin; first < end; first += 32) {
      const uint64_t i = first + threadIdx.x % 32;
      visit(i, i < end ? excess<S>(search, i, tile) : -1.0);
    }
  }
}

uint64_t lower(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}
uint64_t higher(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

void merge(FoundPart& into, const FoundPart& other) {
  into.count += other.count;
  into.unwritten += other.unwritten;
  into.row_low = lower(into.row_low, other.row_low), into.row_high = higher(into.row_high, other.row_high);
  into.column_low = lower(into.column_low, other.column_low);
  into.column_high = higher(into.column_high, other.column_high);
  if (other.needed > into.needed || (other.needed == into.needed && other.worst < into.worst))
    into.needed = other.needed, into.worst = other.worst;
}

uint64_t from_lane(uint64_t value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, static_cast<unsigned long long>(value), lanes);
}

FoundPart found_at(const JudgeSearch& search, uint64_t index, double needed, bool unwritten) {
  const uint64_t row = index / search.columns, column = index % search.columns;
  return {1, unwritten ? 1u : 0u, index, row, row, column, column, needed};
}

__global__ void __launch_bounds__(256) judge_find(JudgeSearch search, FoundPart* parts) {
  FoundPart found{0, 0, ~uint64_t{0}, ~uint64_t{0}, 0, ~uint64_t{0}, 0, -1};
  with_stored(search.subject.dtype, [&](auto stored) {
    using S = decltype(stored);
    walk<S>(search, [&](uint64_t i, double by) {
      if (by < 0) return;
      const bool unwritten = search.poison >= 0 && bits_of<S>(search.subject.answer)[i] ==
                                                       poisoned_bits<S>(static_cast<uint8_t>(search.poison));
      merge(found, found_at(search, i, by, unwritten));
    });
  });
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const FoundPart other{
        from_lane(found.count, lanes),       from_lane(found.unwritten, lanes),
        from_lane(found.worst, lanes),       from_lane(found.row_low, lanes),
        from_lane(found.row_high, lanes),    from_lane(found.column_low, lanes),
        from_lane(found.column_high, lanes), __shfl_xor_sync(0xffffffffu, found.needed, lanes)};
    merge(found, other);
  }
  if (threadIdx.x % 32 == 0) parts[thread_number() / 32] = found;
}

// Every stride-th of what judge_find counted, at most `most`; before[warp]: found by the warps before it. The
// grid is that of judge_find.
__global__ void __launch_bounds__(256) judge_sample(JudgeSearch search, const uint64_t* before,
                                                    uint64_t stride, uint64_t most, uint64_t* indices) {
  uint64_t rank = before[thread_number() / 32];
  with_stored(search.subject.dtype, [&](auto stored) {
    walk<decltype(stored)>(search, [&](uint64_t i, double by) {
      const unsigned found = __ballot_sync(0xffffffffu, by >= 0);
      const uint64_t own = rank + __popc(found & ((1u << threadIdx.x % 32) - 1));
      if (by >= 0 && own % stride == 0 && own / stride < most) indices[own / stride] = i;
      rank += __popc(found);
    });
  });
}
