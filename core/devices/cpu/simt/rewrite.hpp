#pragma once
// Textual step between a candidate's CUDA source and g++: what the language cannot express with macros alone.
// A pure function; thread-safe.

#include <string>
#include <string_view>

namespace kevolve::simt {

/// `__shared__ float tile[32][33], mean;` becomes references into the block's shared memory, at function and
/// file scope, in templates and in macro bodies; `extern __shared__ T name[];` a reference to the dynamic
/// part;
/// `#pragma unroll N` what g++ understands; `__constant__ const` a single const. Every line keeps its number.
/// Never fails: what it does not recognise it leaves for g++ to refuse.
std::string rewrite_for_host(std::string_view source);

}  // namespace kevolve::simt
