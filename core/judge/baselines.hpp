#pragma once
// Baselines: what PyTorch can do for one operator, to be timed beside kernels: "eager" (the reference as it
// stands), "compile" (a package of torch.compile's compiler, where one was made) and the operator's own named
// expressions. Inside the judge only: its functions throw PyTorch's exceptions. One thread.

#include <map>
#include <optional>
#include <string>

#include "core/judge/compiled_package.hpp"
#include "core/judge/package_facts.hpp"
#include "core/judge/torch_expression.hpp"

namespace kevolve::judge {

class Baselines {
 public:
  /// All must outlive it.
  Baselines(const Operator& op, const TorchExpression& reference, PackagePlace place);

  /// Makes a baseline ready to run at these axes. Nothing, or what is missing and how to make it. Throws when
  /// there is no such baseline, or what is there must not be used.
  std::optional<std::string> missing(const std::string& name, const Bindings& axes);

  /// Outputs in operator order, contiguous. Only what is not missing().
  Tensors run(const std::string& name, const Tensors& inputs, const Bindings& axes);

 private:
  std::optional<std::string> load_package(const Bindings& axes);

  const Operator& op_;
  const TorchExpression& reference_;
  const PackagePlace place_;
  std::map<std::string, TorchExpression> named_;  ///< those that were asked for
  std::map<Bindings, CompiledPackage> packages_;  ///< by axes
};

}  // namespace kevolve::judge
