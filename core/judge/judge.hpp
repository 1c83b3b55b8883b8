#pragma once
// Judge: knows what an operator's outputs must be. It compiles the operator's TorchScript reference, runs it
// in the inputs' own types (PyTorch's answer) and in fp64 (the oracle), and says how the oracle responds to
// the last bit of the inputs, which is what the comparison measures answers by (docs/trust.md).
//
// The only part of the program that uses LibTorch. One Judge belongs to one thread; Draws own all they refer
// to.

#include <memory>
#include <string>
#include <vector>

#include "core/gates/comparison.hpp"
#include "core/judge/draws.hpp"

namespace kevolve {

/// One filling of all inputs, and the answers to it.
struct Draw {
  Bindings axes;
  std::string distribution;
  std::vector<Bytes> inputs;            ///< in operator order
  std::vector<Expectation> outputs;     ///< in operator order
  std::shared_ptr<const void> answers;  ///< owns what the expectations view
};

class Judge {
 public:
  /// Compiles the reference; an error holds TorchScript's own words. `threads`: for PyTorch, process-wide.
  static Result<std::unique_ptr<Judge>> create(Operator op, int threads);
  ~Judge();

  [[nodiscard]] const Operator& op() const;

  /// Draws fresh inputs and answers them.
  Result<Draw> draw(const Bindings& axes, const Distribution& distribution, const Seed& seed,
                    std::uint64_t number);
  /// Answers given inputs. `distribution` is for the evidence.
  Result<Draw> answer(const Bindings& axes, const std::string& distribution, std::vector<Bytes> inputs);
  /// Runs the reference once as PyTorch runs it eagerly; wall time.
  Result<double> time_eager_us(const Draw& draw);

 private:
  class Torch;
  explicit Judge(std::unique_ptr<Torch> torch);
  std::unique_ptr<Torch> torch_;
};

/// "2.11.0"
std::string torch_version();

}  // namespace kevolve
