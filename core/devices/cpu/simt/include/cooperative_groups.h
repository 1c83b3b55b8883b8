#pragma once
// Cooperative groups over the collectives of kevolve_simt.hpp: thread_block, grid_group, tiles of up to 32
// threads and coalesced groups. A tile or coalesced group is a set of lanes of one warp.

namespace cooperative_groups {

namespace details {

/// Values of any size travel in words of 8 bytes.
template <class T>
__forceinline__ T shuffle(unsigned mask, const T& value, int source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 32,
                "a group shuffles values of up to 32 bytes");
  unsigned long long words[(sizeof(T) + 7) / 8] = {};
  __builtin_memcpy(words, &value, sizeof(T));
  for (auto& word : words) word = kevolve::simt::shuffle(mask, word, source);
  T result;
  __builtin_memcpy(&result, words, sizeof(T));
  return result;
}

}  // namespace details

class thread_block {
 public:
  __forceinline__ static void sync() { __syncthreads(); }
  __forceinline__ static unsigned thread_rank() { return threadIdx.rank; }
  __forceinline__ static unsigned num_threads() { return blockDim.x * blockDim.y * blockDim.z; }
  __forceinline__ static unsigned size() { return num_threads(); }
  __forceinline__ static dim3 group_index() { return blockIdx; }
  __forceinline__ static dim3 thread_index() { return uint3(threadIdx); }
  __forceinline__ static dim3 group_dim() { return blockDim; }
  __forceinline__ static dim3 dim_threads() { return blockDim; }
};
__forceinline__ thread_block this_thread_block() {
  return {};
}

class grid_group {
 public:
  __forceinline__ static void sync() { kevolve_simt_grid_barrier(); }
  __forceinline__ static bool is_valid() { return kevolve_simt_block.cooperative != 0; }
  __forceinline__ static unsigned long long num_blocks() { return 1ULL * gridDim.x * gridDim.y * gridDim.z; }
  __forceinline__ static unsigned long long block_rank() {
    return (1ULL * blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  }
  __forceinline__ static unsigned long long num_threads() {
    return num_blocks() * thread_block::num_threads();
  }
  __forceinline__ static unsigned long long size() { return num_threads(); }
  __forceinline__ static unsigned long long thread_rank() {
    return block_rank() * thread_block::num_threads() + threadIdx.rank;
  }
  __forceinline__ static dim3 group_dim() { return gridDim; }
  __forceinline__ static dim3 dim_blocks() { return gridDim; }
  __forceinline__ static dim3 block_index() { return blockIdx; }
};
__forceinline__ grid_group this_grid() {
  return {};
}

/// Any set of lanes of one warp that contains the calling one; ranks count its lanes upwards.
class coalesced_group {
 public:
  explicit coalesced_group(unsigned lanes, unsigned rank_among_groups = 0, unsigned groups = 1)
      : mask_(lanes), meta_rank_(rank_among_groups), meta_size_(groups) {}

  __forceinline__ void sync() const { __syncwarp(mask_); }
  __forceinline__ unsigned num_threads() const { return __popc(mask_); }
  __forceinline__ unsigned size() const { return num_threads(); }
  __forceinline__ unsigned thread_rank() const {
    return __popc(mask_ & ((1U << kevolve::simt::lane_id()) - 1));
  }
  __forceinline__ unsigned meta_group_rank() const { return meta_rank_; }
  __forceinline__ unsigned meta_group_size() const { return meta_size_; }

  template <class T>
  __forceinline__ T shfl(const T& value, int rank) const {
    return details::shuffle(mask_, value, __fns(mask_, 0, rank + 1));
  }
  template <class T>
  __forceinline__ T shfl_up(const T& value, int delta) const {
    const int rank = static_cast<int>(thread_rank()) - delta;
    return shfl(value, rank < 0 ? static_cast<int>(thread_rank()) : rank);
  }
  template <class T>
  __forceinline__ T shfl_down(const T& value, int delta) const {
    const int rank = static_cast<int>(thread_rank()) + delta;
    return shfl(value, rank >= static_cast<int>(num_threads()) ? static_cast<int>(thread_rank()) : rank);
  }
  __forceinline__ int any(int predicate) const { return __any_sync(mask_, predicate); }
  __forceinline__ int all(int predicate) const { return __all_sync(mask_, predicate); }
  /// Bit r: the predicate of the thread of rank r.
  __forceinline__ unsigned ballot(int predicate) const { return ranks_of(__ballot_sync(mask_, predicate)); }
  template <class T>
  __forceinline__ unsigned match_any(T value) const {
    return ranks_of(__match_any_sync(mask_, value));
  }
  template <class T>
  __forceinline__ unsigned match_all(T value, int& predicate) const {
    return ranks_of(__match_all_sync(mask_, value, &predicate));
  }
  __forceinline__ unsigned lanes() const { return mask_; }

 private:
  __forceinline__ unsigned ranks_of(unsigned lanes) const {
    unsigned ranks = 0, rank = 0;
    for (unsigned rest = mask_; rest != 0; rest &= rest - 1, ++rank)
      ranks |= (lanes & rest & -rest) != 0 ? 1U << rank : 0;
    return ranks;
  }

  unsigned mask_, meta_rank_, meta_size_;
};
__forceinline__ coalesced_group coalesced_threads() {
  return coalesced_group(__activemask());
}
using thread_group = coalesced_group;

/// `Size` consecutive threads, a power of two of at most 32.
template <unsigned Size, class Parent = void>
class thread_block_tile {
  static_assert(Size >= 1 && Size <= 32 && (Size & (Size - 1)) == 0,
                "the cpu device supports tiles of 1, 2, 4, 8, 16 or 32 threads");

 public:
  thread_block_tile() = default;
  template <class OtherParent>
  __forceinline__ thread_block_tile(const thread_block_tile<Size, OtherParent>&) {}

  __forceinline__ void sync() const { __syncwarp(lanes()); }
  __forceinline__ static unsigned thread_rank() { return threadIdx.rank % Size; }
  __forceinline__ static constexpr unsigned num_threads() { return Size; }
  __forceinline__ static constexpr unsigned size() { return Size; }
  __forceinline__ static unsigned meta_group_rank() { return threadIdx.rank / Size; }
  __forceinline__ static unsigned meta_group_size() {
    return (thread_block::num_threads() + Size - 1) / Size;
  }

  template <class T>
  __forceinline__ T shfl(const T& value, int rank) const {
    return details::shuffle(lanes(), value, kevolve::simt::source_index(rank, Size));
  }
  template <class T>
  __forceinline__ T shfl_up(const T& value, unsigned delta) const {
    return details::shuffle(lanes(), value, kevolve::simt::source_up(delta, Size));
  }
  template <class T>
  __forceinline__ T shfl_down(const T& value, unsigned delta) const {
    return details::shuffle(lanes(), value, kevolve::simt::source_down(delta, Size));
  }
  template <class T>
  __forceinline__ T shfl_xor(const T& value, int lane_mask) const {
    return details::shuffle(lanes(), value, kevolve::simt::source_xor(lane_mask, Size));
  }
  __forceinline__ int any(int predicate) const { return __any_sync(lanes(), predicate); }
  __forceinline__ int all(int predicate) const { return __all_sync(lanes(), predicate); }
  __forceinline__ unsigned ballot(int predicate) const { return __ballot_sync(lanes(), predicate) >> base(); }
  template <class T>
  __forceinline__ unsigned match_any(T value) const {
    return __match_any_sync(lanes(), value) >> base();
  }
  template <class T>
  __forceinline__ unsigned match_all(T value, int& predicate) const {
    return __match_all_sync(lanes(), value, &predicate) >> base();
  }
  __forceinline__ static unsigned lanes() { return (0xffffffffU >> (32 - Size)) << base(); }
  operator coalesced_group() const { return coalesced_group(lanes(), meta_group_rank(), meta_group_size()); }

 private:
  __forceinline__ static unsigned base() { return (threadIdx.rank & 31) & -Size; }
};

template <unsigned Size, class Parent>
__forceinline__ thread_block_tile<Size, Parent> tiled_partition(const Parent&) {
  return {};
}
/// Size known at run time only. A coalesced group is cut by ranks.
__forceinline__ coalesced_group tiled_partition(const thread_block&, unsigned size) {
  return coalesced_group((0xffffffffU >> (32 - size)) << (threadIdx.rank & 31 & -size), threadIdx.rank / size,
                         (thread_block::num_threads() + size - 1) / size);
}
__forceinline__ coalesced_group tiled_partition(const coalesced_group& parent, unsigned size) {
  const unsigned tile = parent.thread_rank() / size;
  unsigned lanes = 0, rank = 0;
  for (unsigned rest = parent.lanes(); rest != 0; rest &= rest - 1, ++rank)
    lanes |= rank / size == tile ? rest & -rest : 0;
  return coalesced_group(lanes, tile, (parent.num_threads() + size - 1) / size);
}
template <class Group, class Label>
__forceinline__ coalesced_group labeled_partition(const Group& group, Label label) {
  return coalesced_group(__match_any_sync(group.lanes(), label));
}
template <class Group>
__forceinline__ coalesced_group binary_partition(const Group& group, bool predicate) {
  const unsigned yes = __ballot_sync(group.lanes(), predicate);
  return coalesced_group(predicate ? yes : group.lanes() & ~yes);
}

template <class Group>
__forceinline__ void sync(const Group& group) {
  group.sync();
}
template <class Group>
__forceinline__ unsigned thread_rank(const Group& group) {
  return group.thread_rank();
}
template <class Group>
__forceinline__ unsigned group_size(const Group& group) {
  return group.size();
}

}  // namespace cooperative_groups
