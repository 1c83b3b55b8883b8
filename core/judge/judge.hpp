#pragma once
// Judge: knows what an operator's outputs must be. It compiles the operator's TorchScript reference, runs it
// in the inputs' own types (PyTorch's answer) and in fp64 (the oracle), and measures how the oracle responds
// to the last bit of the inputs. The comparison of answers builds on this response (docs/trust.md).
//
// In the precision classes down to fp32, PyTorch's TF32 is off: a strict operator's baseline and its noise
// are those of fp32. The judge also times PyTorch's baselines (baselines.hpp). It compares each of them with
// the oracle before its time counts.
//
// Only core/judge uses LibTorch. A Judge belongs to one thread. A Draw owns everything that it refers to.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/devices/memory.hpp"
#include "core/gates/comparison.hpp"
#include "core/judge/draws.hpp"
#include "core/judge/package_facts.hpp"

namespace kevolve::judge {

/// One filling of all inputs, and the answers to it. All tensors lie in the judge's Memory.
struct Draw {
  Bindings axes;
  std::string distribution;
  std::vector<DrawnInput> inputs;           ///< in operator order
  std::vector<gates::Expectation> outputs;  ///< in operator order
  std::shared_ptr<const void> answers;      ///< owns what the expectations view
  std::size_t size_bytes = 0;               ///< of all of it
};

class Judge {
 public:
  /// Compiles the reference; an error holds TorchScript's own words. `threads`: for PyTorch, process-wide.
  /// `memory` says where tensors lie and PyTorch computes; it must outlive the judge and its draws.
  /// `packages`: where to look for the baseline "compile" (its torch_device is taken from `memory`).
  static Result<std::unique_ptr<Judge>> create(Operator op, int threads, devices::Memory& memory,
                                               PackagePlace packages = {});
  ~Judge();

  [[nodiscard]] const Operator& op() const;
  [[nodiscard]] devices::Memory& memory() const;

  /// Draws fresh inputs and answers them.
  Result<Draw> draw(const Bindings& axes, const Distribution& distribution, const gates::Seed& seed,
                    std::uint64_t number);
  /// Answers given inputs. `distribution` is for the evidence.
  Result<Draw> answer(const Bindings& axes, const std::string& distribution, std::vector<DrawnInput> inputs);

  /// Prepares a baseline: "eager", "compile" or one of the operator's own. Nothing when time_us() may be
  /// called at these axes, otherwise what is missing and how to make it. Fails when there is no such
  /// baseline, when its package is for something else, or when its text does not compile.
  Result<std::optional<std::string>> missing(const std::string& baseline, const Bindings& axes);
  /// Compares a baseline's answer with the oracle, once for each draw; a wrong answer fails. ("eager" is not
  /// compared, since it calibrates the comparison.)
  Result<void> verify(const std::string& baseline, const Draw& draw);
  /// Runs a baseline once, by the device's clock. Calls verify() first where it was not called.
  Result<double> time_us(const std::string& baseline, const Draw& draw);
  /// The backends that a baseline uses for torch.scaled_dot_product_attention on this draw, observed in one
  /// untimed run (attention_backend.hpp). Empty when it does not call it. The baseline must not be missing().
  Result<std::set<std::string>> attention_backends(const std::string& baseline, const Draw& draw);

 private:
  class Torch;
  explicit Judge(std::unique_ptr<Torch> torch);
  std::unique_ptr<Torch> torch_;
};

/// "2.11.0"
std::string torch_version();

}  // namespace kevolve::judge
