#include "core/devices/cpu/facts.hpp"

#include <fmt/format.h>

#include "core/text/words.hpp"

namespace kevolve::cpu {
namespace {

std::string vectors_text(int bits) {
  const char* extension = bits == 512 ? "AVX-512" : bits == 256 ? "AVX2" : "SSE";
  return fmt::format("{}: {} vector registers of {} floats.", extension, bits == 512 ? 32 : 16, bits / 32);
}

}  // namespace

std::vector<std::string> cpu_facts(int vector_bits, const std::vector<Cache>& caches,
                                   const std::string& flags, int threads, const Peaks& peaks) {
  std::vector<std::string> facts = {vectors_text(vector_bits)};
  std::string sizes;
  for (const Cache& cache : caches)
    sizes += fmt::format("{}{} of L{}", sizes.empty() ? "" : ", ",
                         in_binary_bytes(static_cast<double>(cache.size_bytes)), cache.level);
  if (!sizes.empty()) facts.push_back("Data caches: " + sizes + ".");
  facts.push_back("g++ is called with " + flags + ".");
  const std::string who = threads == 1 ? "One thread" : fmt::format("{} threads together", threads);
  if (peaks.cold_copy_bytes_per_us > 0)
    facts.push_back(
        fmt::format("{}, measured: {:.0f} GB/s (read and written bytes both count) in a plain loop "
                    "y = c * x between buffers that are in no cache, as they are when a timed run begins.",
                    who, peaks.cold_copy_bytes_per_us / 1e3));
  if (peaks.fma_flops_per_us > 0)
    facts.push_back(fmt::format("{}, measured: {:.0f} GFLOP/s in fp32 fused multiply-adds on registers.", who,
                                peaks.fma_flops_per_us / 1e3));
  return facts;
}

}  // namespace kevolve::cpu
