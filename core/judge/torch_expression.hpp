#pragma once
// TorchExpression: TorchScript text that defines `forward` over an operator's inputs, scalars and axes.
// Inside the judge only, like everything that includes LibTorch: its functions throw PyTorch's exceptions.
// One thread.

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "core/judge/draws.hpp"
#include "core/model/operator.hpp"

namespace torch::jit {
struct CompilationUnit;
struct Function;
}  // namespace torch::jit
namespace c10 {
struct Argument;
struct IValue;
}  // namespace c10

namespace kevolve::judge {

using Tensors = std::vector<at::Tensor>;

class TorchExpression {
 public:
  /// Compiles. `op` must outlive it.
  TorchExpression(const std::string& torchscript, const Operator& op);

  /// Calls forward, eagerly, with parameters bound by name; gives the outputs, contiguous.
  [[nodiscard]] Tensors run(const Tensors& inputs, const Bindings& axes) const;

 private:
  void check_parameter(const std::string& name) const;
  [[nodiscard]] c10::IValue value_of(const c10::Argument& argument, const Tensors& inputs,
                                     const Bindings& axes) const;

  const Operator* op_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  torch::jit::Function* forward_ = nullptr;
};

/// Views of the inputs' bytes, which lie on `device`.
Tensors view_inputs(const Operator& op, const std::vector<DrawnInput>& inputs, const Bindings& axes,
                    at::Device device);

/// Throws when number, shapes or types of outputs are not those declared.
void check_outputs(const Operator& op, const Tensors& outputs, const Bindings& axes);

/// Everything is run under these: TF32 as the operator's precision class has it (judge.hpp).
void apply_precision(const Operator& op);

}  // namespace kevolve::judge
