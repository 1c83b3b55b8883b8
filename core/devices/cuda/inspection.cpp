#include "core/devices/cuda/inspection.hpp"

#include <algorithm>
#include <set>

#include "core/text/words.hpp"

namespace kevolve::cuda {
namespace {

std::string explain_global(const WritableGlobal& global) {
  return "The binary holds '" + demangled(global.symbol) + "' (" + std::to_string(global.size_bytes) +
         " bytes), a global variable that kernels can write and that outlives a launch. Results must depend "
         "on the "
         "inputs of the launch alone: keep intermediate values in `scratch` or __shared__ memory. A constant "
         "table "
         "belongs in __constant__ memory: as const, constexpr or static data that is indexed at run time it "
         "lies "
         "in writable memory.";
}

std::string explain_foreign(const std::string& symbol) {
  const std::string call = "The binary calls '" + demangled(symbol) + "'";
  if (symbol == "vprintf") return call + ": kernels may not print. Remove printf.";
  if (symbol == "malloc" || symbol == "free")
    return call + ": kernels may not allocate. Declare the buffer under `scratch`; new and delete count too.";
  if (symbol == "__assertfail") return call + ": kernels may not report assertions. Remove it.";
  if (symbol.rfind("cuda", 0) == 0 || symbol.rfind("__cuda", 0) == 0)
    return call +
           ", a function of the device runtime: kernels may not launch kernels or call CUDA's API. Put every "
           "launch into `launches`.";
  return call + ", which the source does not define. A candidate is complete in one file.";
}

}  // namespace

std::vector<std::string> violations(const Cubin& cubin, const std::vector<std::string>& unreferenced) {
  std::vector<std::string> sentences;
  std::uint64_t idle_bytes = 0;
  for (const auto& global : cubin.globals) {
    if (std::binary_search(unreferenced.begin(), unreferenced.end(), global.symbol))
      idle_bytes += global.size_bytes;
    else if (!is_library_table(global))
      sentences.push_back(explain_global(global));
  }
  if (idle_bytes > kUnreferencedBytes)
    sentences.push_back("The binary holds " + std::to_string(idle_bytes) +
                        " bytes of global variables that no code uses. Remove them, or turn constants into "
                        "__constant__ variables or macros.");
  for (const auto& symbol : cubin.foreign_symbols) sentences.push_back(explain_foreign(symbol));
  return sentences;
}

std::vector<std::string> missing_kernels(const std::vector<Cubin>& cubins,
                                         const std::vector<CompiledKernel>& kernels) {
  std::vector<std::string> sentences;
  for (const auto& kernel : kernels) {
    const bool known = kernel.cubin < cubins.size();
    if (known && std::binary_search(cubins[kernel.cubin].kernels.begin(), cubins[kernel.cubin].kernels.end(),
                                    kernel.symbol))
      continue;
    sentences.push_back("A launch names '" + kernel.name + "', but the binary holds no kernel of that name" +
                        (kernel.symbol.empty() ? "" : " (its symbol is " + kernel.symbol + ")") +
                        ". A launch's kernel must be a __global__ function.");
  }
  return sentences;
}

std::vector<std::string> unused_kernels(const std::vector<Cubin>& cubins,
                                        const std::vector<CompiledKernel>& kernels) {
  std::set<std::string> unused;
  for (const auto& cubin : cubins) unused.insert(cubin.kernels.begin(), cubin.kernels.end());
  for (const auto& kernel : kernels) unused.erase(kernel.symbol);
  std::vector<std::string> names;
  for (const auto& symbol : unused) names.push_back(demangled(symbol));
  return names;
}

}  // namespace kevolve::cuda
