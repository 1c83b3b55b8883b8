#pragma once
// What ptxas says about each kernel's resources under --ptxas-options=-v. A pure function over the log's
// text.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kevolve::cuda {

/// Bytes are a thread's, except shared_bytes, a block's. Dynamic shared memory is not in it.
struct KernelResources {
  std::int64_t registers = 0;
  std::int64_t spill_store_bytes = 0, spill_load_bytes = 0;
  std::int64_t stack_bytes = 0;     ///< of the kernel and all that it calls, where ptxas says so
  std::int64_t shared_bytes = 0;    ///< static
  std::int64_t constant_bytes = 0;  ///< all banks; 0 where ptxas does not list them
};

/// By symbol ("_Z4rowsILi8EEvPf"), entry functions only. Lines that it does not know are passed over.
std::map<std::string, KernelResources> parse_ptxas_log(std::string_view log);

}  // namespace kevolve::cuda
