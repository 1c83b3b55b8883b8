#pragma once
// Integer intrinsics and bit casts, as in the CUDA Math API.

// Bit casts.
__forceinline__ int __float_as_int(float a) {
  return std::bit_cast<int>(a);
}
__forceinline__ unsigned __float_as_uint(float a) {
  return std::bit_cast<unsigned>(a);
}
__forceinline__ float __int_as_float(int a) {
  return std::bit_cast<float>(a);
}
__forceinline__ float __uint_as_float(unsigned a) {
  return std::bit_cast<float>(a);
}
__forceinline__ long long __double_as_longlong(double a) {
  return std::bit_cast<long long>(a);
}
__forceinline__ double __longlong_as_double(long long a) {
  return std::bit_cast<double>(a);
}
__forceinline__ int __double2hiint(double a) {
  return static_cast<int>(std::bit_cast<long long>(a) >> 32);
}
__forceinline__ int __double2loint(double a) {
  return static_cast<int>(std::bit_cast<long long>(a));
}
__forceinline__ double __hiloint2double(int hi, int lo) {
  return std::bit_cast<double>(static_cast<long long>(hi) << 32 | static_cast<unsigned>(lo));
}

// Bits. __clz and __ffs take 0, unlike the builtins.
__forceinline__ int __popc(unsigned a) {
  return __builtin_popcount(a);
}
__forceinline__ int __popcll(unsigned long long a) {
  return __builtin_popcountll(a);
}
__forceinline__ int __clz(int a) {
  return std::countl_zero(static_cast<unsigned>(a));
}
__forceinline__ int __clzll(long long a) {
  return std::countl_zero(static_cast<unsigned long long>(a));
}
__forceinline__ int __ffs(int a) {
  return __builtin_ffs(a);
}
__forceinline__ int __ffsll(long long a) {
  return __builtin_ffsll(a);
}
__forceinline__ unsigned __brev(unsigned a) {
  a = (a >> 1 & 0x55555555U) | (a & 0x55555555U) << 1;
  a = (a >> 2 & 0x33333333U) | (a & 0x33333333U) << 2;
  a = (a >> 4 & 0x0f0f0f0fU) | (a & 0x0f0f0f0fU) << 4;
  return __builtin_bswap32(a);
}
__forceinline__ unsigned long long __brevll(unsigned long long a) {
  return static_cast<unsigned long long>(__brev(static_cast<unsigned>(a))) << 32 |
         __brev(static_cast<unsigned>(a >> 32));
}
__forceinline__ int __fns(unsigned mask, unsigned base, int offset) {
  // The offset-th set bit, counted from bit `base`, downwards when negative; offset 0 tests `base` itself.
  if (offset == 0) return (mask >> (base & 31) & 1) != 0 ? static_cast<int>(base) : -1;
  const int step = offset > 0 ? 1 : -1;
  int left = offset * step;
  for (int bit = static_cast<int>(base); bit >= 0 && bit < 32; bit += step) {
    if ((mask >> bit & 1) != 0 && --left == 0) return bit;
  }
  return -1;
}
__forceinline__ unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = static_cast<unsigned long long>(y) << 32 | x;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned s = selector >> (4 * i) & 15;
    unsigned byte = static_cast<unsigned>(bytes >> (8 * (s & 7))) & 255;
    if ((s & 8) != 0) byte = (byte & 128) != 0 ? 255 : 0;  // sign replication, as PTX prmt does
    result |= byte << (8 * i);
  }
  return result;
}
__forceinline__ unsigned __funnelshift_l(unsigned lo, unsigned hi, unsigned shift) {
  return static_cast<unsigned>(((static_cast<unsigned long long>(hi) << 32 | lo) << (shift & 31)) >> 32);
}
__forceinline__ unsigned __funnelshift_r(unsigned lo, unsigned hi, unsigned shift) {
  return static_cast<unsigned>((static_cast<unsigned long long>(hi) << 32 | lo) >> (shift & 31));
}
__forceinline__ unsigned __funnelshift_lc(unsigned lo, unsigned hi, unsigned shift) {
  return shift >= 32 ? lo : __funnelshift_l(lo, hi, shift);
}
__forceinline__ unsigned __funnelshift_rc(unsigned lo, unsigned hi, unsigned shift) {
  return shift >= 32 ? hi : __funnelshift_r(lo, hi, shift);
}

// Products and sums.
__forceinline__ int __mulhi(int a, int b) {
  return static_cast<int>(static_cast<long long>(a) * b >> 32);
}
__forceinline__ unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
__forceinline__ long long __mul64hi(long long a, long long b) {
  return static_cast<long long>(static_cast<__int128>(a) * b >> 64);
}
__forceinline__ unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
__forceinline__ int __mul24(int a, int b) {
  return static_cast<int>(static_cast<unsigned>(static_cast<int>(static_cast<unsigned>(a) << 8) >> 8) *
                          static_cast<unsigned>(static_cast<int>(static_cast<unsigned>(b) << 8) >> 8));
}
__forceinline__ unsigned __umul24(unsigned a, unsigned b) {
  return (a & 0xffffffU) * (b & 0xffffffU);
}
__forceinline__ int __hadd(int a, int b) {
  return static_cast<int>((static_cast<long long>(a) + b) >> 1);
}
__forceinline__ int __rhadd(int a, int b) {
  return static_cast<int>((static_cast<long long>(a) + b + 1) >> 1);
}
__forceinline__ unsigned __uhadd(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) + b) >> 1);
}
__forceinline__ unsigned __urhadd(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) + b + 1) >> 1);
}
__forceinline__ unsigned __sad(int a, int b, unsigned c) {
  return (a > b ? static_cast<unsigned>(a) - static_cast<unsigned>(b)
                : static_cast<unsigned>(b) - static_cast<unsigned>(a)) +
         c;
}
__forceinline__ unsigned __usad(unsigned a, unsigned b, unsigned c) {
  return (a > b ? a - b : b - a) + c;
}
__forceinline__ int __dp4a(int a, int b, int c) {
  unsigned sum = static_cast<unsigned>(c);
  for (int i = 0; i < 32; i += 8)
    sum += static_cast<unsigned>(static_cast<signed char>(a >> i) * static_cast<signed char>(b >> i));
  return static_cast<int>(sum);
}
__forceinline__ unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 32; i += 8) c += (a >> i & 255) * (b >> i & 255);
  return c;
}
__forceinline__ int __dp4a(char4 a, char4 b, int c) {
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w + c;
}
__forceinline__ unsigned __dp4a(uchar4 a, uchar4 b, unsigned c) {
  return static_cast<unsigned>(a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w) + c;
}
__forceinline__ int __dp2a_lo(int a, int b, int c) {
  return c + static_cast<short>(a) * static_cast<signed char>(b) +
         static_cast<short>(a >> 16) * static_cast<signed char>(b >> 8);
}
__forceinline__ int __dp2a_hi(int a, int b, int c) {
  return __dp2a_lo(a, b >> 16, c);
}

// min and max for every pair of arithmetic types: the usual conversions, but NaN gives the other operand.
namespace kevolve::simt {
template <class A, class B>
using Common = std::common_type_t<A, B>;
template <class A, class B>
concept Numbers = std::is_arithmetic_v<A> && std::is_arithmetic_v<B>;
}  // namespace kevolve::simt

template <class A, class B>
requires kevolve::simt::Numbers<A, B> __forceinline__ constexpr kevolve::simt::Common<A, B> min(A first,
                                                                                                B second) {
  const kevolve::simt::Common<A, B> a = first, b = second;
  if constexpr (std::is_floating_point_v<kevolve::simt::Common<A, B>>)
    return b != b || a < b ? a : b;
  else
    return a < b ? a : b;
}
template <class A, class B>
requires kevolve::simt::Numbers<A, B> __forceinline__ constexpr kevolve::simt::Common<A, B> max(A first,
                                                                                                B second) {
  const kevolve::simt::Common<A, B> a = first, b = second;
  if constexpr (std::is_floating_point_v<kevolve::simt::Common<A, B>>)
    return b != b || a > b ? a : b;
  else
    return a > b ? a : b;
}
__forceinline__ unsigned umin(unsigned a, unsigned b) {
  return a < b ? a : b;
}
__forceinline__ unsigned umax(unsigned a, unsigned b) {
  return a > b ? a : b;
}
__forceinline__ long long llmin(long long a, long long b) {
  return a < b ? a : b;
}
__forceinline__ long long llmax(long long a, long long b) {
  return a > b ? a : b;
}
__forceinline__ unsigned long long ullmin(unsigned long long a, unsigned long long b) {
  return a < b ? a : b;
}
__forceinline__ unsigned long long ullmax(unsigned long long a, unsigned long long b) {
  return a > b ? a : b;
}
