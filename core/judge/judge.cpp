#include "core/judge/judge.hpp"

#include <dlfcn.h>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/judge/attention_backend.hpp"
#include "core/judge/baselines.hpp"
#include "core/judge/torch_expression.hpp"
#include "core/model/subjects.hpp"

namespace kevolve::judge {
namespace {

/// The first paragraph of what PyTorch says; its C++ stack trace is of no use to a reader.
std::string words_of(const std::exception& error) {
  std::string text = error.what();
  for (const char* tail : {"\nException raised from", "\nC++ CapturedTraceback"}) {
    if (const auto at = text.find(tail); at != std::string::npos) text.resize(at);
  }
  return text;
}

/// The oracle in fp64 may take most of a GPU, and PyTorch keeps what it has freed: draws to come and runners
/// would find no memory. At its end what is kept goes back, if less than half of the device's memory is free.
struct GivesBack {
  const at::Device& device;

  ~GivesBack() {
    if (device.is_cpu()) return;
    try {
      c10::DeviceAllocator* allocator = at::getDeviceAllocator(device.type());
      const auto [available, all] = allocator->getMemoryInfo(device.index());
      if (available < all / 2) allocator->emptyCache();
    } catch (const std::exception&) {
      // A device that fails here fails the next time it is asked for something, and says why.
    }
  }
};

/// While it lives, tensors that a reference makes without a dtype are fp64.
class DefaultDouble {
 public:
  DefaultDouble() : before_(c10::get_default_dtype()) {
    c10::set_default_dtype(caffe2::TypeMeta::Make<double>());
  }
  ~DefaultDouble() { c10::set_default_dtype(before_); }
  DefaultDouble(const DefaultDouble&) = delete;
  DefaultDouble& operator=(const DefaultDouble&) = delete;

 private:
  caffe2::TypeMeta before_;
};

/// LibTorch's CUDA half is loaded only where a GPU is judged on, so that one binary serves both worlds.
const Result<void>& load_torch_cuda() {
  static const Result<void> loaded = []() -> Result<void> {
    if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
      return failure(
          fmt::format("this LibTorch cannot use a GPU: {}. Point KEVOLVE_TORCH_DIR to a torch {} that "
                      "was built for CUDA",
                      ::dlerror(), TORCH_VERSION));
    if (!at::hasCUDA()) return failure("LibTorch was loaded with CUDA, but sees no GPU");
    return {};
  }();
  return loaded;
}

/// What a Draw's expectations view.
struct Answers {
  Tensors torch, oracle, response;
  mutable std::set<std::string> verified;  ///< baselines that have answered this draw rightly
  mutable std::map<std::string, std::set<std::string>> attention;  ///< backends, of baselines that were asked
};

}  // namespace

class Judge::Torch {
 public:
  Torch(Operator subject, devices::Memory& where, PackagePlace packages)
      : op(std::move(subject)),
        memory(where),
        device_(where.torch_device()),
        reference_(op.reference, op),
        baselines(op, reference_, std::move(packages)) {}

  [[nodiscard]] Tensors view(const std::vector<DrawnInput>& inputs, const Bindings& axes) const {
    return view_inputs(op, inputs, axes, device_);
  }

  /// PyTorch's answer and the oracle.
  std::shared_ptr<Answers> answer(const Tensors& inputs, const Bindings& axes) {
    const GivesBack at_the_end{device_};
    const c10::InferenceMode no_gradients;
    auto answers = std::make_shared<Answers>();
    answers->torch = reference_.run(inputs, axes);
    check_outputs(op, answers->torch, axes);
    const DefaultDouble oracle_makes_doubles;
    Tensors wide;
    for (const at::Tensor& input : inputs)
      wide.push_back(input.is_floating_point() ? input.to(at::kDouble) : input);
    answers->oracle = reference_.run(wide, axes);
    for (at::Tensor& output : answers->oracle) output = output.to(at::kDouble);
    return answers;
  }

  /// Compares a baseline's answer with the oracle in the operator's class; "" when it is right.
  std::string wrong(const std::string& baseline, const Draw& draw) {
    const c10::InferenceMode no_gradients;
    const Tensors inputs = view(draw.inputs, draw.axes);
    Tensors outputs;
    memory.time_us([&] { outputs = baselines.run(baseline, inputs, draw.axes); });  // and waits for it
    check_outputs(op, outputs, draw.axes);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const gates::Elements answer{op.outputs[i].dtype,
                                   static_cast<const std::byte*>(outputs[i].const_data_ptr()),
                                   static_cast<std::size_t>(outputs[i].numel())};
      const gates::Comparison compared = memory.compare(draw.outputs[i], answer, op.precision, std::nullopt);
      if (!compared.right()) return compared.evidence;
    }
    return {};
  }

  /// Adds the oracle's response to nudged inputs, once.
  void respond(Answers& answers, const Tensors& inputs, const Bindings& axes) {
    if (!answers.response.empty()) return;
    const GivesBack at_the_end{device_};
    const c10::InferenceMode no_gradients;
    const DefaultDouble oracle_makes_doubles;
    Tensors response;
    for (const at::Tensor& output : answers.oracle) response.push_back(at::zeros_like(output));
    const int count = probes(answers.torch);
    for (int probe = 0; probe < count; ++probe) {
      add_response(response, answers.oracle, inputs, axes, probe, probe + 1 < count ? 1 : kRunLength);
    }
    answers.response = std::move(response);
  }

  const Operator op;
  devices::Memory& memory;

 private:
  static constexpr std::int64_t kRunLength = 1024;

  /// Several: in one alone, the nudges of two terms that cancel may cancel too. The noise of a tile of the
  /// comparison is a maximum over its elements, so small outputs need more observations.
  static int probes(const Tensors& outputs) {
    for (const at::Tensor& output : outputs) {
      if (output.numel() < 64) return 8;
    }
    return 4;
  }

  /// Each stretch of `run_length` elements is nudged one way. Alone, elements show what their own rounding is
  /// worth; in runs, what the rounding of a partial sum over them is worth, which moves all of its terms
  /// together.
  void add_response(Tensors& response, const Tensors& oracle, const Tensors& inputs, const Bindings& axes,
                    int probe, std::int64_t run_length) {
    Tensors nudged;
    std::optional<at::Generator> signs;  // on a GPU PyTorch's own
    if (device_.is_cpu())
      signs =
          at::make_generator<at::CPUGeneratorImpl>(0x9E3779B97F4A7C15u + static_cast<std::uint64_t>(probe));
    for (const at::Tensor& input : inputs) {
      if (!input.is_floating_point()) {
        nudged.push_back(input);
        continue;
      }
      const std::int64_t runs = (input.numel() + run_length - 1) / run_length;
      at::Tensor factor =
          at::empty({runs}, input.options().dtype(at::kDouble)).random_(0, 2, signs);  // 0, 1 -> 1 - u, 1 + u
      if (run_length > 1) factor = factor.repeat_interleave(run_length).narrow(0, 0, input.numel());
      nudged.push_back(factor.reshape(input.sizes()).mul_(0x1p-23).add_(1 - 0x1p-24).mul_(input));
    }
    const Tensors moved = reference_.run(nudged, axes);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const at::Tensor change = moved[i].to(at::kDouble).sub_(oracle[i]).abs_();
      response[i] = at::fmax(response[i], change);
    }
  }

  at::Device device_;
  TorchExpression reference_;

 public:
  Baselines baselines;
};

Judge::Judge(std::unique_ptr<Torch> torch) : torch_(std::move(torch)) {}
Judge::~Judge() = default;
const Operator& Judge::op() const {
  return torch_->op;
}
devices::Memory& Judge::memory() const {
  return torch_->memory;
}

Result<std::unique_ptr<Judge>> Judge::create(Operator op, int threads, devices::Memory& memory,
                                             PackagePlace packages) {
  const std::string where = fmt::format("operator '{}': reference", op.name);
  if (at::Device(memory.torch_device()).is_cuda()) {
    if (const auto& loaded = load_torch_cuda(); !loaded) return failure(loaded.error());
  }
  try {
    at::set_num_threads(threads);
    packages.torch_device = memory.torch_device();
    auto torch = std::make_unique<Torch>(std::move(op), memory, std::move(packages));
    return std::unique_ptr<Judge>(new Judge(std::move(torch)));
  } catch (const std::exception& error) {
    return failure(fmt::format("{}: {}", where, words_of(error)));
  }
}

Result<Draw> Judge::draw(const Bindings& axes, const Distribution& distribution, const gates::Seed& seed,
                         std::uint64_t number) {
  auto inputs = draw_inputs(memory(), op(), axes, distribution, seed, number);
  if (!inputs) return failure(inputs.error().in(fmt::format("operator '{}'", op().name)));
  return answer(axes, distribution.name, std::move(*inputs));
}

Result<Draw> Judge::answer(const Bindings& axes, const std::string& distribution,
                           std::vector<DrawnInput> inputs) {
  try {
    Draw draw{axes, distribution, std::move(inputs), {}, nullptr, 0};
    for (const DrawnInput& input : draw.inputs) draw.size_bytes += input.size_bytes;
    const Tensors views = torch_->view(draw.inputs, axes);
    const auto answers = torch_->answer(views, axes);
    for (std::size_t i = 0; i < op().outputs.size(); ++i) {
      const at::Tensor& torch = answers->torch[i];
      const auto count = static_cast<std::size_t>(torch.numel());
      gates::Expectation expected{op().outputs[i].name, distribution, torch.sizes().vec(), {}, {}, {}};
      expected.torch = {op().outputs[i].dtype, static_cast<const std::byte*>(torch.const_data_ptr()), count};
      expected.oracle = {answers->oracle[i].const_data_ptr<double>(), count};
      expected.intermediates = op().intermediates;
      // The views stay good when the draw moves: its inputs' bytes do not.
      expected.observe_response = [torch_part = torch_.get(), answers, views, axes, i,
                                   count]() -> Result<std::span<const double>> {
        try {
          torch_part->respond(*answers, views, axes);
        } catch (const std::exception& error) {
          return failure(words_of(error));
        }
        return std::span(answers->response[i].const_data_ptr<double>(), count);
      };
      draw.size_bytes += expected.torch.size_bytes() + 2 * count * sizeof(double);  // oracle and response
      draw.outputs.push_back(std::move(expected));
    }
    draw.answers = answers;
    return draw;
  } catch (const std::exception& error) {
    return failure(
        fmt::format("operator '{}': reference, draw '{}': {}", op().name, distribution, words_of(error)));
  }
}

Result<std::optional<std::string>> Judge::missing(const std::string& baseline, const Bindings& axes) {
  try {
    return torch_->baselines.missing(baseline, axes);
  } catch (const std::exception& error) {
    return failure(fmt::format("operator '{}': baseline '{}': {}", op().name, baseline, words_of(error)));
  }
}

Result<void> Judge::verify(const std::string& baseline, const Draw& draw) {
  const auto& answers = *static_cast<const Answers*>(draw.answers.get());
  if (answers.verified.contains(baseline)) return {};
  const auto there = missing(baseline, draw.axes);
  if (!there) return failure(there.error());
  const std::string where = fmt::format("operator '{}': baseline '{}'", op().name, baseline);
  if (*there) return failure(where + ": " + **there);
  try {
    const std::string evidence = baseline == subjects::kEager ? "" : torch_->wrong(baseline, draw);
    if (!evidence.empty())
      return failure(fmt::format("{}, draw '{}': {}", where, draw.distribution, evidence));
  } catch (const std::exception& error) {
    return failure(where + ": " + words_of(error));
  }
  answers.verified.insert(baseline);
  return {};
}

Result<double> Judge::time_us(const std::string& baseline, const Draw& draw) {
  if (const auto verified = verify(baseline, draw); !verified) return failure(verified.error());
  try {
    const c10::InferenceMode no_gradients;
    const Tensors inputs = torch_->view(draw.inputs, draw.axes);
    return memory().time_us([&] { torch_->baselines.run(baseline, inputs, draw.axes); });
  } catch (const std::exception& error) {
    return failure(fmt::format("operator '{}': baseline '{}': {}", op().name, baseline, words_of(error)));
  }
}

Result<std::set<std::string>> Judge::attention_backends(const std::string& baseline, const Draw& draw) {
  auto& known = static_cast<const Answers*>(draw.answers.get())->attention;
  if (const auto seen = known.find(baseline); seen != known.end()) return seen->second;
  try {
    const c10::InferenceMode no_gradients;
    const Tensors inputs = torch_->view(draw.inputs, draw.axes);
    const auto call = [&] { torch_->baselines.run(baseline, inputs, draw.axes); };
    return known[baseline] = kevolve::judge::attention_backends(call);
  } catch (const std::exception& error) {
    return failure(fmt::format("operator '{}': baseline '{}': {}", op().name, baseline, words_of(error)));
  }
}

std::string torch_version() {
  return TORCH_VERSION;
}

}  // namespace kevolve::judge
