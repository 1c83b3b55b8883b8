#pragma once
// Which operands tensor cores multiply in a compilation. Every such instruction has a mnemonic of its own in
// PTX (mma.sync, wmma.mma, wgmma.mma_async, tcgen05.mma), also when it was written as inline assembly, and
// the mnemonic names the types. A pure function.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kevolve::cuda {

/// Instructions by the narrowest type among their operands: "f16", "bf16", "tf32", "e4m3", "s8", … or "f64".
/// Empty when there are none.
std::map<std::string, std::int64_t> tensor_core_types(std::string_view ptx);

}  // namespace kevolve::cuda
