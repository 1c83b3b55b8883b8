#include "core/devices/cuda/prelude.hpp"

namespace kevolve::cuda {
namespace {

// What nvcc has before the first line of a source, because it includes the host's <math.h> and <limits.h>;
// integer types and limits in libcu++'s own words, so that both may be included.
//
// The three functions reserve the names of the tables of CUDA's own trigonometry. Inspection admits
// those tables although they lie in writable memory, so no candidate may define one.
constexpr const char* kPrelude = R"(#pragma once
extern "C" __device__ void __cudart_i2opi_f();
extern "C" __device__ void __cudart_i2opi_d();
extern "C" __device__ void __cudart_sin_cos_coeffs();
using int8_t = signed char;
using int16_t = signed short;
using int32_t = signed int;
using int64_t = signed long long;
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using uint32_t = unsigned int;
using uint64_t = unsigned long long;
using intptr_t = int64_t;
using uintptr_t = uint64_t;
#define INFINITY __builtin_bit_cast(float, 0x7f800000)
#define HUGE_VALF __builtin_bit_cast(float, 0x7f800000)
#define NAN __builtin_bit_cast(float, 0x7fffffff)
#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
#define CHAR_BIT 8
#define SCHAR_MIN (-128)
#define SCHAR_MAX 127
#define UCHAR_MAX 255
#define SHRT_MIN (-SHRT_MAX - 1)
#define SHRT_MAX 0x7fff
#define USHRT_MAX 0xffff
#define INT_MIN (-INT_MAX - 1)
#define INT_MAX 0x7fffffff
#define UINT_MAX 0xffffffff
#define LONG_MIN (-LONG_MAX - 1)
#define LONG_MAX LLONG_MAX
#define ULONG_MAX ULLONG_MAX
#define LLONG_MIN (-LLONG_MAX - 1)
#define LLONG_MAX 0x7fffffffffffffffLL
#define ULLONG_MAX 0xffffffffffffffffUL
#define FLT_RADIX 2
#define FLT_MANT_DIG 24
#define FLT_DIG 6
#define FLT_MIN 1.17549435e-38f
#define FLT_MAX 3.402823466e+38f
#define FLT_EPSILON 1.192092896e-07f
#define DBL_MANT_DIG 53
#define DBL_DIG 15
#define DBL_MIN 2.2250738585072014e-308
#define DBL_MAX 1.7976931348623158e+308
#define DBL_EPSILON 2.2204460492503131e-16
)";

constexpr const char* kNothing = "#pragma once\n";

constexpr const char* kIntegers = R"(#pragma once
#include <cuda/std/cstdint>
namespace std { using namespace cuda::std; }
)";
constexpr const char* kLimits = R"(#pragma once
#include <cuda/std/limits>
namespace std { using namespace cuda::std; }
)";
constexpr const char* kTypeTraits = R"(#pragma once
#include <cuda/std/type_traits>
namespace std { using namespace cuda::std; }
)";
// libcu++'s own <cmath> and <algorithm> take NVRTC more than a second to read.
constexpr const char* kMath = R"(#pragma once
namespace std {
using ::abs, ::fabs, ::fmod, ::remainder, ::fma, ::fmax, ::fmin, ::fdim;
using ::exp, ::exp2, ::expm1, ::log, ::log2, ::log10, ::log1p;
using ::pow, ::sqrt, ::cbrt, ::hypot, ::sin, ::cos, ::tan, ::asin, ::acos, ::atan, ::atan2;
using ::sinh, ::cosh, ::tanh, ::asinh, ::acosh, ::atanh, ::erf, ::erfc, ::tgamma, ::lgamma;
using ::ceil, ::floor, ::trunc, ::round, ::rint, ::nearbyint, ::lround, ::lrint;
using ::frexp, ::ldexp, ::modf, ::scalbn, ::ilogb, ::logb, ::nextafter, ::copysign;
using ::isfinite, ::isinf, ::isnan, ::signbit;
}
)";
constexpr const char* kAlgorithm = R"(#pragma once
namespace std {
template <class T> __host__ __device__ constexpr const T& min(const T& a, const T& b) { return b < a ? b : a; }
template <class T> __host__ __device__ constexpr const T& max(const T& a, const T& b) { return a < b ? b : a; }
template <class T> __host__ __device__ constexpr const T& clamp(const T& x, const T& low, const T& high) {
  return x < low ? low : high < x ? high : x;
}
template <class T> __host__ __device__ constexpr void swap(T& a, T& b) {
  T kept = static_cast<T&&>(a);
  a = static_cast<T&&>(b);
  b = static_cast<T&&>(kept);
}
}
)";

constexpr const char* kUtility = "#pragma once\n#include <algorithm>\n";
constexpr const char* kSizes = "#pragma once\nnamespace std { using ::size_t, ::ptrdiff_t; }\n";

}  // namespace

const std::vector<BuiltinHeader>& builtin_headers() {
  static const std::vector<BuiltinHeader> headers{
      {"kevolve_prelude.h", kPrelude},
      {"stdint.h", kNothing},
      {"float.h", kNothing},
      {"limits.h", kNothing},
      {"math.h", kNothing},
      {"stddef.h", kNothing},
      {"assert.h", kNothing},
      {"cassert", kNothing},
      {"cfloat", kNothing},
      {"climits", kNothing},
      {"cstdint", kIntegers},
      {"cstddef", kSizes},
      {"limits", kLimits},
      {"type_traits", kTypeTraits},
      {"cmath", kMath},
      {"utility", kUtility},
      {"algorithm", kAlgorithm},
  };
  return headers;
}

}  // namespace kevolve::cuda
