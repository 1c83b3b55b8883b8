#pragma once
// The CUDA language for g++: force-included before a candidate's source. What NVRTC gives without any
// #include. Header-only, save the `kevolve_simt_*` symbols of abi.hpp.

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

#pragma GCC diagnostic ignored "-Wunknown-pragmas"  // #pragma unroll: g++ decides for itself

// In this order: each uses what stands above.
// clang-format off
#include "kevolve/language.hpp"
#include "kevolve/vector_types.hpp"
#include "kevolve/index.hpp"
#include "kevolve/entry.hpp"
#include "kevolve/integer.hpp"
#include "kevolve/math.hpp"
#include "kevolve/fast_math.hpp"
#include "kevolve/memory.hpp"
#include "kevolve/atomics.hpp"
#include "kevolve/warp.hpp"
// clang-format on
