#pragma once
// HostExamination: a comparison's look at elements in the host's own memory. Stateless.

#include "core/gates/examination.hpp"

namespace kevolve::gates {

class HostExamination : public Examination {
 public:
  bool same(const Expectation& expected, const Elements& answer) override;
  Measured measure(const Expectation& expected, const Elements& answer) override;
  Wrong find_wrong(const Expectation& expected, const Elements& answer, double allowed,
                   std::optional<std::uint8_t> poison) override;
  std::vector<double> look(const Expectation& expected, const Elements& answer, Side side,
                           std::span<const std::size_t> indices) override;
};

/// The summary of wrong elements that are known by index (ascending); `worst` is one of them.
Wrong summary_of(const std::vector<std::size_t>& indices, std::size_t worst, const Expectation& expected,
                 const Elements& answer, std::optional<std::uint8_t> poison);

}  // namespace kevolve::gates
