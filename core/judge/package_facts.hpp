#pragma once
// Packages of torch.compile's compiler (AOTInductor), which scripts/compiled_baseline.py makes: where a
// package lies, and whether it fits. A package is a program for one reference, one choice of sizes, one torch
// and one model of GPU. A file of facts beside it names them, and the judge loads no package whose facts
// differ. Files only, no LibTorch.

#include <filesystem>
#include <string>

#include "core/model/operator.hpp"

namespace kevolve::judge {

/// Where packages are kept, and the machine that they must have been made for (as in DeviceInfo).
struct PackagePlace {
  std::filesystem::path folder;  ///< empty: there are no packages
  std::string model, architecture;
  std::string torch_device = "cpu";  ///< "cpu", "cuda:0"
};

/// "<folder>/layernorm/L=4194304,ROWS=16/NVIDIA_H200-sm_90a-torch-2.11.0.pt2"; the facts end in ".json".
std::filesystem::path package_path(const PackagePlace& place, const Operator& op, const Bindings& axes,
                                   const std::string& torch);

/// Fails when the facts are missing or differ, naming the first that does, or when the package is not the
/// one that they were written for.
Result<void> check_package(const std::filesystem::path& package, const PackagePlace& place,
                           const Operator& op, const Bindings& axes, const std::string& torch);

/// The command that makes it, for messages.
std::string package_command(const PackagePlace& place, const Operator& op, const Bindings& axes);

}  // namespace kevolve::judge
