#pragma once
// CompiledPackage: a loaded package of torch.compile's compiler. Inside the judge only: its functions throw
// PyTorch's exceptions. One thread.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace at {
class Tensor;
}

namespace kevolve::judge {

class CompiledPackage {
 public:
  /// `torch_device`: "cpu", "cuda:0".
  CompiledPackage(const std::filesystem::path& package, const std::string& torch_device);
  ~CompiledPackage();

  /// Inputs in operator order; outputs in the order of the reference.
  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs);

 private:
  class Loader;
  std::unique_ptr<Loader> loader_;
};

}  // namespace kevolve::judge
