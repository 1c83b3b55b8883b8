#pragma once
// Scale: what a search's choices go by. A measured search goes by speed-ups over the yardstick. A
// deterministic job goes by scores drawn from its seed and the candidates' hashes, so that the same job makes
// the same choices again. Which of the two is decided once, when a scale is made. A value; pure.

#include <cstdint>
#include <optional>
#include <string>

namespace kevolve::search {

class Scale {
 public:
  /// `yardstick_us`: the yardstick's time in the seed's evaluation.
  static Scale measured(double yardstick_us);
  /// The naive kernel's score is 1.
  static Scale drawn(std::uint64_t job_seed, std::string naive_hash);

  [[nodiscard]] bool is_measured() const { return !drawn_.has_value(); }
  /// Of a candidate with that measured speed-up; 0 when it has none.
  [[nodiscard]] double score(const std::string& candidate_hash, double speedup) const;
  /// A score as a time, on the scale of RoundContext; 0 for the score 0.
  [[nodiscard]] double us(double score) const { return score > 0 ? yardstick_us_ / score : 0; }
  /// The time of a kernel whose own time was measured, not only its speed-up.
  [[nodiscard]] double own_us(double measured_us, double score) const {
    return is_measured() ? measured_us : us(score);
  }
  /// A measured number, as far as choices may depend on it: 0 (unknown) in a deterministic job.
  [[nodiscard]] double told(double measured) const { return is_measured() ? measured : 0; }

 private:
  struct Drawn {
    std::uint64_t job_seed = 0;
    std::string naive_hash;
  };
  std::optional<Drawn> drawn_;
  double yardstick_us_ = 0;
};

}  // namespace kevolve::search
