#pragma once
// Evaluation: all that was learned by passing one candidate (source, tunables, workload, device) through the
// gates. Plain data with a JSON form, which is what the worker protocol, the archive and --json print.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/device_traits.hpp"
#include "core/model/precision.hpp"
#include "core/model/profile.hpp"
#include "core/model/verdict.hpp"
#include "core/text/json.hpp"

namespace kevolve {

/// The device is part of every archive key: results of different devices are never mixed.
struct DeviceInfo {
  std::string name;          ///< "cpu", "cuda:0", "cuda:sm_90a" (compile only)
  std::string model;         ///< "AMD EPYC …, 2 threads", "NVIDIA H200"
  std::string architecture;  ///< "x86_64", "sm_90a"
  std::string driver;        ///< "" on cpu
  std::string toolchain;     ///< "g++ 12.2.0", "NVRTC 13.0"
  std::string torch;         ///< "2.11.0+cu130"
  std::int64_t num_sms = 1;  ///< cpu: threads that execute blocks
  /// What the device knows of itself that authors of kernels want to know: complete sentences, partly
  /// measured.
  std::vector<std::string> facts = {};
  /// Read and written bytes a microsecond in a plain copy between buffers that are in no cache; 0: unknown.
  double memory_bytes_per_us = 0;
  /// Told by its worker in the hello; not a part of evaluations, of archived rows, or of the key.
  std::optional<DeviceTraits> told_traits = std::nullopt;

  /// One line that identifies the device: all of the above but facts, rates and traits. Times of equal keys
  /// are comparable.
  [[nodiscard]] std::string key() const;
  /// As told, else by the name.
  [[nodiscard]] DeviceTraits traits() const;
};

/// Times of one subject under one mode, taken interleaved with the other subjects of the same evaluation.
struct Measurement {
  std::string subject;             ///< "candidate", "naive", "incumbent", "eager", …
  std::string mode;                ///< "cold" or "warm", as declared and enforced by the device
  std::vector<double> samples_us;  ///< raw, in the order taken
  double median_us = 0;
  double low_us = 0, high_us = 0;  ///< 95 % bootstrap interval of the median
  /// The SMs' clock around each sample, 0 where it could not be read; empty where the device does not say.
  std::vector<double> sm_mhz = {};
  /// Of a baseline that calls torch.scaled_dot_product_attention: what PyTorch used for it, as observed
  /// ("flash_attention"; several: with ", "). Otherwise empty.
  std::string backend = {};
};

/// What a second clock, independent of the one that gave the samples, saw of the launches.
struct Witness {
  double launches = 0;        ///< kernels that ran, each time the plan was launched
  double busy_us = 0;         ///< while at least one of its kernels or fills ran
  double span_us = 0;         ///< from the first one's begin to the last one's end
  std::string unavailable{};  ///< why there is none; then all else is 0
};

/// How far the outputs were from the fp64 oracle, and how far PyTorch's own answer was, worst over all draws.
struct Accuracy {
  double max_error = 0;   ///< max |y - oracle| / scale, scale: see docs/trust.md
  double norm_error = 0;  ///< ‖y - oracle‖ / ‖oracle‖
  double torch_max_error = 0, torch_norm_error = 0;
  std::string worst_draw;  ///< distribution of the worst max_error
};

/// What the compiler and the inspection of the binary said.
struct CompileReport {
  std::string binary_hash;  ///< SHA-256 of the normalised binary
  std::int64_t binary_bytes = 0;
  bool cached = false;
  std::string log;  ///< warnings; at most 16 KiB
  std::map<std::string, std::int64_t>
      resources;  ///< cuda: "<kernel>.registers", ".spill_bytes", ".shared_bytes"
};

struct Evaluation {
  Verdict verdict;
  std::map<std::string, double> gate_ms;  ///< wall time spent in each gate, by gate name
  std::optional<CompileReport> compile;
  std::optional<PrecisionClass> precision;  ///< measured
  std::optional<Accuracy> accuracy;
  std::vector<Measurement> measurements;  ///< "candidate" first; empty unless correctness passed
  std::optional<double> prepare_us;       ///< median of `prepare`, when the plan has one
  double speedup_low = 0,
         speedup = 0;              ///< against the first comparison: bootstrap 2.5 % bound and median ratio
  std::optional<Witness> witness;  ///< only of candidates that were timed on fresh draws, where there is one
  std::optional<Profile> profile;  ///< absent unless the gate `profile` was asked for and reached
  double floor_us = 0;             ///< physical limit of the workload on the device; 0 when unknown
  std::string seed;                ///< hex; written down only after the evaluation
  DeviceInfo device;

  [[nodiscard]] const Measurement* measurement(std::string_view subject) const;  ///< nullptr when absent
};

Json to_json(const DeviceInfo& device);
Json to_json(const Witness& witness);
Json to_json(const Evaluation& evaluation);
Result<DeviceInfo> device_from_json(const Json& json);
Result<Witness> witness_from_json(const Json& json);
Result<Evaluation> evaluation_from_json(const Json& json);

}  // namespace kevolve
