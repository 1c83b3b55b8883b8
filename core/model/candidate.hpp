#pragma once
// Candidate: one .cu file of device code whose first comment says how to launch it.
//
// The header (/*kevolve { JSON } */) holds the idea in English, tunables, constraints, scratch buffers and
// the launch plan; no host code exists. docs/candidate_format.md explains it; its schema is
// config/schema/candidate.schema.json. Plain data, immutable after parse.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/model/operator.hpp"

namespace kevolve {

/// What a buffer holds before the first launch. Filling is part of the timed work.
enum class Fill { none, zero, minus_infinity, plus_infinity };

struct Scratch {
  std::string name;
  DType dtype = DType::f32;
  Expression elements;
  Fill init = Fill::none;
  std::int64_t alignment_bytes = 256;
};

/// A TMA tensor map over a buffer, passed as `const __grid_constant__ CUtensorMap`. Innermost dimension
/// first, as cuTensorMapEncodeTiled takes it; strides in bytes, without the innermost.
struct TensorMap {
  std::string tensor;
  std::optional<DType> dtype;  ///< default: the tensor's own
  std::vector<Expression> dims, strides_bytes, box;
  std::string swizzle = "none";        ///< none, 32B, 64B, 128B
  std::string l2_promotion = "none";   ///< none, 64B, 128B, 256B
  std::string out_of_bounds = "zero";  ///< zero, nan
};

struct BufferArgument {
  std::string tensor;
};  ///< pointer to an input, output or scratch
struct IntegerArgument {
  DType dtype = DType::i32;
  Expression value;
};  ///< i32, i64
struct RealArgument {
  DType dtype = DType::f32;
  double value = 0;
};  ///< f32, f64
using Argument = std::variant<BufferArgument, IntegerArgument, RealArgument, TensorMap>;

struct Launch {
  std::string kernel;                      ///< any C++ name expression: "rows<float, BLOCK>", "ns::reduce"
  std::vector<Expression> grid, block;     ///< 1 to 3 entries: x, y, z
  std::optional<Expression> shared_bytes;  ///< dynamic shared memory
  std::vector<Expression> cluster;         ///< empty, or 1 to 3 entries
  bool cooperative = false;                ///< grid-wide synchronisation; all blocks co-resident
  std::optional<Expression> max_registers;
  std::vector<Argument> arguments;
};

struct CandidateHeader {
  std::string idea;                                           ///< English
  std::map<std::string, std::vector<std::int64_t>> tunables;  ///< allowed values, first = default
  std::vector<Expression> constraints;                        ///< all must be non-zero
  std::vector<Scratch> scratch;
  std::map<std::string, Fill> output_fill;  ///< outputs that must hold a value before the first launch
  std::vector<Launch> prepare;              ///< repacks constant inputs into scratch; timed apart
  std::vector<Launch> launches;
  PrecisionClass precision = PrecisionClass::strict_fp32;  ///< what it claims to be; default the operator's
  bool deterministic = true;     ///< false: results may differ in rounding from run to run
  std::optional<Json> playbook;  ///< playbook entries only: when to try it, what it combines
};

/// The JSON text between "/*kevolve" and "*/", or why it is not there.
Result<std::string> header_text(std::string_view source);

/// Parses and checks the header against its operator: every name must be known, every expression must parse,
/// every output must be an argument of some launch. `where` starts every error.
Result<CandidateHeader> parse_candidate(std::string_view source, const Operator& op, std::string_view where);

/// Each tunable's first value.
Bindings default_tunables(const CandidateHeader& header);

/// Content address of a candidate: SHA-256 over source (comments and white space normalised) and tunables,
/// hex.
std::string candidate_hash(std::string_view source, const Bindings& tunables);

}  // namespace kevolve
