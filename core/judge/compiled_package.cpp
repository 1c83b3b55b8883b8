#include "core/judge/compiled_package.hpp"

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

namespace kevolve::judge {

class CompiledPackage::Loader : public torch::inductor::AOTIModelPackageLoader {
 public:
  using AOTIModelPackageLoader::AOTIModelPackageLoader;
};

CompiledPackage::CompiledPackage(const std::filesystem::path& package, const std::string& torch_device) {
  const c10::Device device(torch_device);
  // The judge has one thread, so the container need not guard or order anything between calls.
  constexpr bool kSingleThreaded = true;
  loader_ = std::make_unique<Loader>(package.string(), "model", kSingleThreaded, 1,
                                     device.is_cpu() ? -1 : device.index());
}

CompiledPackage::~CompiledPackage() = default;

std::vector<at::Tensor> CompiledPackage::run(const std::vector<at::Tensor>& inputs) {
  return loader_->run(inputs);
}

}  // namespace kevolve::judge
