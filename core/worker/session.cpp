#include "core/worker/session.hpp"

#include <fmt/format.h>

namespace kevolve::worker {
std::chrono::milliseconds run_deadline(double eager_us) {
  return std::chrono::milliseconds(5000 + static_cast<std::int64_t>(200 * eager_us / 1000));
}

Result<Session> Session::start(devices::Device& device, const Operator& op, const CompiledSubject& subject,
                               std::chrono::milliseconds deadline, bool counters) {
  Session session(device, subject, deadline);
  for (const TensorSpec& input : op.inputs) {
    if (input.constant) session.constant_inputs_.insert(input.name);
  }
  auto runner = counters ? device.start_profiler(subject.binary, subject.plan)
                         : device.start_runner(subject.binary, subject.plan);
  if (!runner) return failure(runner.error());
  session.runner_ = std::move(*runner);
  return session;
}

Result<void> Session::add_set(devices::Placement placement, const Buffers& inputs) {
  Set set;
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (i < inputs.size()) {
      set.buffers.push_back(inputs[i]);
      continue;
    }
    const PlannedBuffer& plan = planned()[i];
    auto buffer = device_->allocate(static_cast<std::size_t>(plan.size_bytes()), placement,
                                    static_cast<std::size_t>(plan.alignment_bytes));
    if (!buffer) return failure(buffer.error().in(fmt::format("buffer '{}'", plan.name)));
    set.buffers.push_back(std::move(*buffer));
  }
  const auto number = runner_->bind(set.buffers);
  if (!number) return failure(number.error());
  set.number = *number;
  sets_.push_back(std::move(set));
  return {};
}

Buffers Session::inputs(std::size_t set) const {
  Buffers inputs;
  for (std::size_t i = 0; i < planned().size() && planned()[i].role == BufferRole::input; ++i) {
    inputs.push_back(sets_[set].buffers[i]);
  }
  return inputs;
}

void Session::write_inputs(std::size_t set, const judge::Draw& draw) {
  for (std::size_t i = 0; i < draw.inputs.size(); ++i) {
    device_->memory()->copy(sets_[set].buffers[i]->data(), draw.inputs[i].data.get(),
                            draw.inputs[i].size_bytes);
  }
}

void Session::poison(devices::SharedBuffer& buffer, std::uint8_t pattern) {
  device_->memory()->poison(buffer.data(), buffer.size_bytes(), pattern);
}

void Session::poison_role(std::size_t set, BufferRole role, std::uint8_t pattern) {
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (planned()[i].role == role) poison(*sets_[set].buffers[i], pattern);
  }
}

Result<devices::RunReport> Session::prepare(const Pass& pass, const judge::Draw& draw,
                                            devices::RunOptions options) {
  const bool hide = !pass.timed;
  for (std::size_t i = 0; hide && i < draw.inputs.size(); ++i) {
    if (constant_inputs_.count(planned()[i].name) == 0) poison(*sets_[pass.set].buffers[i], pass.poison);
  }
  options.prepare = true;
  options.rehearsal.reset();
  auto report = runner_->run(sets_[pass.set].number, options);
  if (hide) write_inputs(pass.set, draw);
  if (report) prepare_us_ = report->wall_us;
  return report;
}

Result<devices::RunReport> Session::run(const Pass& pass, const judge::Draw& draw) {
  devices::RunOptions options{
      .timed = pass.timed, .order = pass.order, .order_seed = pass.order_seed, .deadline = deadline_};
  if (pass.rehearsal) options.rehearsal = sets_[*pass.rehearsal].number;
  poison_role(pass.set, BufferRole::scratch, pass.poison);
  if (!subject_->plan.prepare.empty()) {
    auto prepared = prepare(pass, draw, options);
    if (!prepared || !prepared->verdict.passed()) return prepared;
  }
  poison_role(pass.set, BufferRole::output, pass.poison);
  if (pass.timed && !device_->runners_flush()) device_->flush_caches();
  return runner_->run(sets_[pass.set].number, options);
}

std::optional<Verdict> Session::damage(std::size_t set, const judge::Draw& draw) const {
  for (std::size_t i = 0; i < planned().size(); ++i) {
    devices::SharedBuffer& buffer = *sets_[set].buffers[i];
    if (!buffer.canaries_intact()) {
      return Verdict{
          Outcome::illegal_access, Gate::correctness,
          fmt::format("Something was written just outside buffer '{}' ({} bytes). Check the index against "
                      "the number of elements, {}.",
                      planned()[i].name, buffer.size_bytes(), planned()[i].elements)};
    }
    if (i < draw.inputs.size() &&
        !device_->memory()->equal(buffer.data(), draw.inputs[i].data.get(), draw.inputs[i].size_bytes)) {
      return Verdict{
          Outcome::illegal_access, Gate::correctness,
          fmt::format("Input '{}' was changed by the kernel; inputs are read-only.", planned()[i].name)};
    }
  }
  return std::nullopt;
}

std::vector<gates::Elements> Session::outputs(std::size_t set) const {
  std::vector<gates::Elements> all;
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (planned()[i].role != BufferRole::output) continue;
    all.push_back(
        {planned()[i].dtype, sets_[set].buffers[i]->data(), static_cast<std::size_t>(planned()[i].elements)});
  }
  return all;
}

Result<Copies> Session::copy_outputs(std::size_t set) const {
  Copies copies;
  for (const gates::Elements& output : outputs(set)) {
    auto copy = device_->memory()->allocate(output.size_bytes());
    if (!copy) return failure(copy.error().in("copy of an output"));
    device_->memory()->copy(copy->get(), output.data, output.size_bytes());
    copies.push_back(std::move(*copy));
  }
  return copies;
}

}  // namespace kevolve::worker
