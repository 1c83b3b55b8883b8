#pragma once
// GpuExamination: a comparison's look at elements that lie on a GPU. Tensors never leave it: kernels bring
// back what each block found, and the values at a sample of places. The noise of an Expectation is measured
// once and kept in it.
//
// One thread.

#include "core/devices/cuda/gpu_buffer.hpp"
#include "core/gates/examination.hpp"

namespace kevolve::cuda {

class GpuExamination : public gates::Examination {
 public:
  explicit GpuExamination(const std::shared_ptr<KernelQueue>& queue)
      : queue_(queue), uploads_(queue), findings_(queue) {}

  bool same(const gates::Expectation& expected, const gates::Elements& answer) override;
  gates::Measured measure(const gates::Expectation& expected, const gates::Elements& answer) override;
  gates::Wrong find_wrong(const gates::Expectation& expected, const gates::Elements& answer, double allowed,
                          std::optional<std::uint8_t> poison) override;
  std::vector<double> look(const gates::Expectation& expected, const gates::Elements& answer,
                           gates::Side side, std::span<const std::size_t> indices) override;

  /// As kevolve::first_difference.
  std::size_t first_difference(const gates::Elements& a, const gates::Elements& b);
  /// As Memory::unwritten_in_both.
  std::vector<std::size_t> unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                             const gates::Elements& b, std::uint8_t poison_b);
  std::vector<double> values(DType dtype, const void* data, std::span<const std::size_t> indices);

 private:
  struct KeptNoise;

  const KeptNoise& noise_of(const gates::Expectation& expected);
  double rms(std::span<const double> oracle);
  std::vector<MeasuredPart> measured_parts(const JudgeSubject& subject, double rms);
  /// What is sought, with every stride-th of its places, at most `most`; stride 0: sample_stride().
  gates::Wrong search(const JudgeSearch& search, std::size_t stride, std::size_t most);

  std::shared_ptr<KernelQueue> queue_;
  GpuBuffer uploads_, findings_;
};

}  // namespace kevolve::cuda
