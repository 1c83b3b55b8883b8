// The curated metrics. Percentages ending in _elapsed are of the whole range, those in _active of the cycles
// in which an SM had work.

#include <array>
#include <cmath>

#include "core/gates/profile.hpp"

namespace kevolve::gates {
namespace {

#define KEVOLVE_STALL(reason) "smsp__average_warps_issue_stalled_" reason "_per_issue_active.ratio"
#define KEVOLVE_PIPE(pipe) "sm__inst_executed_pipe_" pipe ".avg.pct_of_peak_sustained_elapsed"

constexpr std::array<CounterMetric, 30> kMetrics = {{
    {"duration_us", "gpu__time_duration.sum", 1e-3, "the whole range, gaps between launches included"},
    {"dram_pct", "dram__throughput.avg.pct_of_peak_sustained_elapsed", 1, "DRAM, of its peak"},
    {"dram_read_bytes", "dram__bytes_read.sum", 1, "bytes read from DRAM"},
    {"dram_write_bytes", "dram__bytes_write.sum", 1, "bytes written to DRAM"},
    {"l2_pct", "lts__t_sectors.avg.pct_of_peak_sustained_elapsed", 1, "L2 sectors, of its peak"},
    {"l2_hit_pct", "lts__t_sector_hit_rate.pct", 1, "L2 sectors that hit"},
    {"l1_hit_pct", "l1tex__t_sector_hit_rate.pct", 1, "L1 sectors that hit"},
    {"l1_pct", "l1tex__data_pipe_lsu_wavefronts.avg.pct_of_peak_sustained_elapsed", 1,
     "data path of L1 and shared memory, of its peak"},
    {"sm_active_pct", "sm__cycles_active.avg.pct_of_peak_sustained_elapsed", 1,
     "share of the time in which an SM had work"},
    {"occupancy_pct", "sm__warps_active.avg.pct_of_peak_sustained_active", 1,
     "warps in flight, of the most possible"},
    {"issue_pct", "smsp__issue_active.avg.pct_of_peak_sustained_active", 1,
     "cycles in which an instruction was issued, of active ones"},
    {"inst_pct", "sm__inst_executed.avg.pct_of_peak_sustained_elapsed", 1, "instructions, of the peak rate"},
    {"fma_pct", KEVOLVE_PIPE("fma"), 1, "FMA pipes (fp32), of their peak"},
    {"alu_pct", KEVOLVE_PIPE("alu"), 1, "ALU pipe (integers, comparisons), of its peak"},
    {"fp64_pct", KEVOLVE_PIPE("fp64"), 1, "fp64 pipe, of its peak"},
    {"xu_pct", KEVOLVE_PIPE("xu"), 1, "special functions and conversions, of their peak"},
    {"lsu_pct", KEVOLVE_PIPE("lsu"), 1, "load and store instructions, of their peak"},
    {"tensor_pct", "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed", 1,
     "tensor cores, of their peak"},
    {"blocks", "sm__ctas_launched.sum", 1, "blocks of all launches"},
    {"shared_wavefronts", "l1tex__data_pipe_lsu_wavefronts_mem_shared.sum", 1, "passes over shared memory"},
    {"shared_conflicts", "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum", 1,
     "passes that bank conflicts cost"},
    {"sectors_per_load", "l1tex__average_t_sectors_per_request_pipe_lsu_mem_global_op_ld.ratio", 1,
     "32-byte sectors that one global load of a warp touches"},
    {"stall_long_scoreboard", KEVOLVE_STALL("long_scoreboard"), 1, "warps waiting for global memory"},
    {"stall_short_scoreboard", KEVOLVE_STALL("short_scoreboard"), 1, "warps waiting for shared memory"},
    {"stall_barrier", KEVOLVE_STALL("barrier"), 1, "warps waiting at a barrier"},
    {"stall_mio_throttle", KEVOLVE_STALL("mio_throttle"), 1, "warps waiting for the shared-memory queue"},
    {"stall_lg_throttle", KEVOLVE_STALL("lg_throttle"), 1, "warps waiting for the global-memory queue"},
    {"stall_math_pipe", KEVOLVE_STALL("math_pipe_throttle"), 1, "warps waiting for a busy pipe"},
    {"stall_wait", KEVOLVE_STALL("wait"), 1, "warps in a fixed delay between instructions"},
    {"stall_gmma", KEVOLVE_STALL("gmma"), 1, "warps waiting for asynchronous tensor cores"},
}};

}  // namespace

std::span<const CounterMetric> curated_metrics() {
  return kMetrics;
}

std::vector<std::string> curated_counters() {
  std::vector<std::string> counters;
  for (const CounterMetric& metric : kMetrics) counters.emplace_back(metric.counter);
  return counters;
}

std::map<std::string, double> metrics_of(const std::map<std::string, double>& counters) {
  std::map<std::string, double> metrics;
  for (const CounterMetric& metric : kMetrics) {
    const auto found = counters.find(metric.counter);
    if (found != counters.end() && std::isfinite(found->second))
      metrics[metric.name] = found->second * metric.factor;
  }
  return metrics;
}

}  // namespace kevolve::gates
