#include "core/judge/torch_expression.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/frontend/ir_emitter.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/jit.h>

namespace kevolve::judge {
namespace {

at::ScalarType torch_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f64:
      return at::kDouble;
    case DType::i32:
      return at::kInt;
    case DType::i64:
      return at::kLong;
    case DType::u8:
      return at::kByte;
    case DType::boolean:
      return at::kBool;
  }
  return at::kFloat;
}

std::vector<std::int64_t> shape_of(const TensorSpec& spec, const Bindings& axes) {
  const auto shape = shape_at(spec, axes);
  if (!shape) throw std::runtime_error(shape.error().message);
  return *shape;
}

}  // namespace

TorchExpression::TorchExpression(const std::string& torchscript, const Operator& op) : op_(&op) {
  torch::jit::setGraphExecutorOptimize(false);  // eager: one kernel for each operation, nothing fused
  unit_ = torch::jit::compile(torchscript);
  forward_ = unit_->find_function(c10::QualifiedName("forward"));
  if (forward_ == nullptr) throw std::runtime_error("the reference defines no function named 'forward'");
  for (const auto& argument : forward_->getSchema().arguments()) check_parameter(argument.name());
}

Tensors TorchExpression::run(const Tensors& inputs, const Bindings& axes) const {
  const c10::InferenceMode no_gradients;
  apply_precision(*op_);
  torch::jit::Stack stack;
  for (const auto& argument : forward_->getSchema().arguments()) {
    stack.push_back(value_of(argument, inputs, axes));
  }
  const c10::IValue result = (*forward_)(std::move(stack));
  Tensors outputs;
  if (result.isTensor()) {
    outputs.push_back(result.toTensor());
  } else if (result.isTuple()) {
    for (const auto& element : result.toTupleRef().elements()) outputs.push_back(element.toTensor());
  } else {
    throw std::runtime_error("the reference must return a Tensor or a tuple of Tensors, one for each output");
  }
  for (at::Tensor& output : outputs) output = output.contiguous();
  return outputs;
}

void TorchExpression::check_parameter(const std::string& name) const {
  if (op_->is_input(name)) return;
  for (const Scalar& scalar : op_->scalars) {
    if (scalar.name == name) return;
  }
  for (const Axis& axis : op_->axes) {
    if (axis.name == name) return;
  }
  throw std::runtime_error(fmt::format(
      "parameter '{}' of forward is neither an input nor a scalar nor an axis of the operator", name));
}

c10::IValue TorchExpression::value_of(const c10::Argument& argument, const Tensors& inputs,
                                      const Bindings& axes) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (op_->inputs[i].name == argument.name()) return inputs[i];
  }
  for (const Scalar& scalar : op_->scalars) {
    if (scalar.name != argument.name()) continue;
    if (!is_floating(scalar.dtype)) return static_cast<std::int64_t>(scalar.value);
    // Candidates see an f32 constant, so the oracle must too.
    return scalar.dtype == DType::f32 ? static_cast<double>(static_cast<float>(scalar.value)) : scalar.value;
  }
  return axes.at(argument.name());
}

Tensors view_inputs(const Operator& op, const std::vector<DrawnInput>& inputs, const Bindings& axes,
                    at::Device device) {
  Tensors tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    tensors.push_back(at::from_blob(inputs[i].data.get(), shape_of(op.inputs[i], axes),
                                    at::dtype(torch_type(op.inputs[i].dtype)).device(device)));
  }
  return tensors;
}

void check_outputs(const Operator& op, const Tensors& outputs, const Bindings& axes) {
  if (outputs.size() != op.outputs.size()) {
    throw std::runtime_error(fmt::format("the reference returns {} tensors, but {} outputs are declared",
                                         outputs.size(), op.outputs.size()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorSpec& spec = op.outputs[i];
    const auto shape = shape_of(spec, axes);
    if (outputs[i].sizes() != at::IntArrayRef(shape)) {
      throw std::runtime_error(
          fmt::format("output '{}' is declared with shape [{}], but the reference gives [{}]", spec.name,
                      fmt::join(shape, ", "), fmt::join(outputs[i].sizes(), ", ")));
    }
    if (outputs[i].scalar_type() != torch_type(spec.dtype)) {
      throw std::runtime_error(fmt::format("output '{}' is declared as {}, but the reference gives {}",
                                           spec.name, name(spec.dtype),
                                           c10::toString(outputs[i].scalar_type())));
    }
  }
}

void apply_precision(const Operator& op) {
  const bool tf32 = op.precision > PrecisionClass::compensated;
  at::globalContext().setAllowTF32CuBLAS(tf32);
  at::globalContext().setAllowTF32CuDNN(tf32);
}

}  // namespace kevolve::judge
