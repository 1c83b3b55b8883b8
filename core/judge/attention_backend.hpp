#pragma once
// Which implementation PyTorch chooses when torch.scaled_dot_product_attention is called. It depends on the
// device, types, sizes and options, so a call is observed. Inside the judge only: LibTorch's exceptions pass
// through. Only what the calling thread dispatches is seen.

#include <functional>
#include <set>
#include <string>

namespace kevolve::judge {

/// Runs `call` and gives the backends of scaled_dot_product_attention that were dispatched in it: "math",
/// "flash_attention", "efficient_attention", "cudnn_attention", "overrideable"; none without such a call.
/// A call to one of PyTorch's own attention operators by name counts, too.
std::set<std::string> attention_backends(const std::function<void()>& call);

}  // namespace kevolve::judge
