#pragma once
// Operator: what a kernel has to compute, as a folder kernels/seed/<name>/ without any C++.
//
// operator.json says it all: axes, tensors, the PyTorch reference that is specification, oracle and
// baseline, workloads, input distributions, the precision class it is judged in, and the physical cost.
// docs/operator_authoring.md explains the file; config/schema/operator.schema.json is its schema.
// Plain data, immutable after load.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/model/dtype.hpp"
#include "core/model/expression.hpp"
#include "core/model/precision.hpp"
#include "core/text/json.hpp"

namespace kevolve {

enum class AxisKind {
  constant,  ///< reaches the source as a macro: every compile is specialised to its workload
  variable,  ///< changes from call to call: reaches the kernel as an argument, checked at hold-out sizes too
};

struct Axis {
  std::string name;  ///< an upper-case C identifier
  AxisKind kind = AxisKind::constant;
  std::string description;
};

/// A number the specification fixes, such as layernorm's eps. Reaches the source as a macro.
struct Scalar {
  std::string name;
  DType dtype = DType::f32;
  double value = 0;
};

struct TensorSpec {
  std::string name;
  DType dtype = DType::f32;
  std::vector<Expression> shape;  ///< outermost dimension first, row-major, contiguous
  bool constant = false;          ///< the same across calls (a weight): `prepare` may repack it
};

struct Workload {
  std::string name;  ///< "small", "benchmark", …
  Bindings axes;
  std::vector<Bindings> holdouts;  ///< overrides of variable axes, checked for correctness only
};

/// How one input is drawn. Known kinds and parameters: docs/operator_authoring.md, "Distributions".
struct InputDraw {
  std::string kind;  ///< "normal", "uniform", "impulse", "special_values", …
  std::map<std::string, double> parameters;
};

/// One way to fill all inputs; inputs that `draws` does not name follow its "*" entry.
struct Distribution {
  std::string name;
  std::map<std::string, InputDraw> draws;
  bool timed = false;  ///< used for timing too (exactly one distribution is)
};

struct Baseline {
  std::string name;  ///< "eager" and "compile" are others
  std::string torchscript;
};

struct Operator {
  std::string name;
  std::string description;  ///< English, one paragraph
  std::vector<Axis> axes;
  std::vector<Scalar> scalars;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::string reference;            ///< TorchScript text that defines `forward`
  std::vector<Baseline> baselines;  ///< further expressions to beat; eager is implied
  std::vector<Workload> workloads;
  std::vector<Distribution> distributions;
  PrecisionClass precision = PrecisionClass::strict_fp32;
  /// What kernels may round results on the way to (attention's weights), though PyTorch's own may not.
  DType intermediates = DType::f32;
  Expression bytes = {};         ///< least bytes moved through device memory, by axes
  Expression flops = {};         ///< least arithmetic, by axes
  Json document;                 ///< operator.json itself, for the worker protocol
  std::filesystem::path folder;  ///< empty when it came over the wire
  /// Candidates of other operators' folders that serve this one too. Where files lie is no part of what the
  /// operator computes, so `document` does not have them.
  std::vector<std::filesystem::path> shared_candidates = {};

  [[nodiscard]] const Workload* workload(std::string_view name) const;  ///< nullptr when absent
  [[nodiscard]] const TensorSpec* tensor(
      std::string_view name) const;  ///< input or output, nullptr when absent
  [[nodiscard]] bool is_input(std::string_view name) const;
  /// The files of its folder and shared_candidates, by name. Fails when the folder cannot be listed, or when
  /// two have the same name.
  [[nodiscard]] Result<std::vector<std::filesystem::path>> candidate_files() const;
  [[nodiscard]] std::filesystem::path naive_file() const;  ///< which may not exist
};

/// `where` starts every error ("kernels/seed/softmax/operator.json").
Result<Operator> parse_operator(const Json& document, std::string_view where);
Result<Operator> load_operator(const std::filesystem::path& folder);

/// Sizes of a tensor at these axes; fails on a dimension below 1 or more than 2^40 elements.
Result<std::vector<std::int64_t>> shape_at(const TensorSpec& tensor, const Bindings& axes);

}  // namespace kevolve
