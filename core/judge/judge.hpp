#pragma once
// Judge: knows what an operator's outputs must be. It compiles the operator's TorchScript reference, runs it
// in the inputs' own types (PyTorch's answer) and in fp64 (the oracle), and says how the oracle responds to
// the last bit of the inputs, which is what the comparison measures answers by (docs/trust.md).
//
// In the precision classes down to fp32, PyTorch's TF32 is off: a strict operator's baseline and its noise
// are those of fp32. It also times what is to be beaten: PyTorch's baselines (baselines.hpp), each of which
// is compared with the oracle before its time counts.
//
// The only part of the program that uses LibTorch. One Judge belongs to one thread; Draws own all they refer
// to.

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

namespace kevolve {

/// One filling of all inputs, and the answers to it. All tensors lie in the judge's Memory.
struct Draw {
  Bindings axes;
  std::string distribution;
  std::vector<DrawnInput> inputs;       ///< in operator order
  std::vector<Expectation> outputs;     ///< in operator order
  std::shared_ptr<const void> answers;  ///< owns what the expectations view
  std::size_t size_bytes = 0;           ///< of all of it
};

class Judge {
 public:
  /// Compiles the reference; an error holds TorchScript's own words. `threads`: for PyTorch, process-wide.
  /// `memory` says where tensors lie and PyTorch computes; it must outlive the judge and its draws.
  /// `packages`: where to look for the baseline "compile" (its torch_device is taken from `memory`).
  static Result<std::unique_ptr<Judge>> create(Operator op, int threads, Memory& memory,
                                               PackagePlace packages = {});
  ~Judge();

  [[nodiscard]] const Operator& op() const;
  [[nodiscard]] Memory& memory() const;

  /// Draws fresh inputs and answers them.
  Result<Draw> draw(const Bindings& axes, const Distribution& distribution, const Seed& seed,
                    std::uint64_t number);
  /// Answers given inputs. `distribution` is for the evidence.
  Result<Draw> answer(const Bindings& axes, const std::string& distribution, std::vector<DrawnInput> inputs);

  /// Makes a baseline ready: "eager", "compile" or one of the operator's own. Nothing when time_us() can be
  /// called at these axes, else what is missing and how to make it. Fails when there is no such baseline or
  /// it must not be used: a package of something else, text that does not compile.
  Result<std::optional<std::string>> missing(const std::string& baseline, const Bindings& axes);
  /// Compares a baseline's answer with the oracle when it first meets a draw: a wrong one fails. ("eager" is
  /// not compared: the comparison itself is calibrated by it.)
  Result<void> verify(const std::string& baseline, const Draw& draw);
  /// Runs a verified baseline once; the device's time for it. verify() is called when it was not.
  Result<double> time_us(const std::string& baseline, const Draw& draw);
  /// What a baseline that is not missing() uses for torch.scaled_dot_product_attention on this draw, observed
  /// in one run that is not timed (attention_backend.hpp); empty where it does not call it.
  Result<std::set<std::string>> attention_backends(const std::string& baseline, const Draw& draw);

 private:
  class Torch;
  explicit Judge(std::unique_ptr<Torch> torch);
  std::unique_ptr<Torch> torch_;
};

/// "2.11.0"
std::string torch_version();

}  // namespace kevolve
