#include "core/judge/attention_backend.hpp"

#include <ATen/record_function.h>

#include <string_view>

namespace kevolve::judge {
namespace {

thread_local std::set<std::string>* watched = nullptr;  // PyTorch's callbacks carry no state of ours

/// Of an operator that was dispatched; "" when it is none of attention.
std::string backend_of(std::string_view op) {
  constexpr std::string_view kPrefix = "aten::_scaled_dot_product_";
  if (!op.starts_with(kPrefix)) return {};
  op.remove_prefix(kPrefix.size());
  if (op.starts_with("attention_math")) return "math";
  if (op == "flash_attention_for_cpu") return "flash_attention";
  if (op == "fused_attention_overrideable") return "overrideable";
  return std::string(op);
}

std::unique_ptr<at::ObserverContext> on_dispatch(const at::RecordFunction& function) {
  if (watched == nullptr) return nullptr;
  if (std::string backend = backend_of(function.name()); !backend.empty())
    watched->insert(std::move(backend));
  return nullptr;
}

class Watch {
 public:
  explicit Watch(std::set<std::string>& backends) {
    watched = &backends;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(on_dispatch).scopes({at::RecordScope::FUNCTION}));
  }
  ~Watch() {
    at::removeCallback(handle_);
    watched = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

std::set<std::string> attention_backends(const std::function<void()>& call) {
  std::set<std::string> backends;
  const Watch watch(backends);
  call();
  return backends;
}

}  // namespace kevolve::judge
