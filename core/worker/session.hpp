#pragma once
// Session: one runner and the sets of buffers that it works on. A session decides what a run finds in memory
// (inputs as drawn, outputs and scratch poisoned) and checks everything that the run leaves there.
//
// Owned by one thread. After a report that did not pass, the runner is dead and the session useless.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/judge/judge.hpp"
#include "core/worker/subject.hpp"

namespace kevolve::worker {

using Buffers = std::vector<std::shared_ptr<devices::SharedBuffer>>;
using Copies = std::vector<std::shared_ptr<std::byte>>;  ///< of outputs, in the device's Memory

struct Pass {  ///< one run, as a recipe
  std::size_t set = 0;
  std::uint8_t poison = gates::kPoisons[0];
  devices::ThreadOrder order = devices::ThreadOrder::forward;
  std::uint64_t order_seed = 0;
  bool timed = false;                      ///< flush caches first
  std::optional<std::size_t> rehearsal{};  ///< RunOptions::rehearsal; its outputs are lost
};

/// How long one run may take, from what PyTorch needs for the same work.
std::chrono::milliseconds run_deadline(double eager_us);

class Session {
 public:
  /// `subject` must outlive the session.
  /// `counters`: the runner may read hardware counters (profile()).
  static Result<Session> start(devices::Device& device, const Operator& op, const CompiledSubject& subject,
                               std::chrono::milliseconds deadline, bool counters = false);

  /// Allocates and binds one more set. `inputs`: buffers to share with other sessions, or none.
  Result<void> add_set(devices::Placement placement, const Buffers& inputs = {});
  [[nodiscard]] Buffers inputs(std::size_t set) const;
  [[nodiscard]] std::size_t sets() const { return sets_.size(); }

  /// Copies the draw's inputs into a set.
  void write_inputs(std::size_t set, const judge::Draw& draw);

  /// Poisons, prepares and launches. Where the plan has `prepare` launches, these see only the constant
  /// inputs: the others are poisoned meanwhile (unless timed). The report is of the launches.
  Result<devices::RunReport> run(const Pass& pass, const judge::Draw& draw);
  /// What the last run's `prepare` took; nothing when the plan has none.
  [[nodiscard]] std::optional<double> prepare_us() const { return prepare_us_; }

  /// Counters of the launches over a set. The answers of these launches are ignored.
  Result<std::map<std::string, double>> profile(std::size_t set) {
    return runner_->profile(sets_[set].number);
  }

  /// What a second clock measures of the launches over a set, where the device has one.
  Result<std::optional<Witness>> witness(std::size_t set) { return runner_->witness(sets_[set].number); }

  /// The verdict on writes outside the data or into inputs; nothing when all is intact.
  [[nodiscard]] std::optional<Verdict> damage(std::size_t set, const judge::Draw& draw) const;

  /// Outputs in operator order, as the last run left them.
  [[nodiscard]] std::vector<gates::Elements> outputs(std::size_t set) const;
  [[nodiscard]] Result<Copies> copy_outputs(std::size_t set) const;
  [[nodiscard]] const CompiledSubject& subject() const { return *subject_; }

 private:
  struct Set {
    int number = 0;
    Buffers buffers;
  };

  Session(devices::Device& device, const CompiledSubject& subject, std::chrono::milliseconds deadline)
      : device_(&device), subject_(&subject), deadline_(deadline) {}
  [[nodiscard]] const std::vector<PlannedBuffer>& planned() const { return subject_->plan.buffers; }
  void poison(devices::SharedBuffer& buffer, std::uint8_t pattern);
  void poison_role(std::size_t set, BufferRole role, std::uint8_t pattern);
  Result<devices::RunReport> prepare(const Pass& pass, const judge::Draw& draw, devices::RunOptions options);

  devices::Device* device_;
  const CompiledSubject* subject_;
  std::chrono::milliseconds deadline_;
  std::set<std::string> constant_inputs_;
  std::vector<Set> sets_;
  std::unique_ptr<devices::Runner> runner_;  // destroyed before the buffers
  std::optional<double> prepare_us_;
};

}  // namespace kevolve::worker
