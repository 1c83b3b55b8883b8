#include "core/worker/session.hpp"

#include <fmt/format.h>

#include <cstring>

namespace kevolve {
namespace {

std::span<std::byte> bytes_of(SharedBuffer& buffer) {
  return {static_cast<std::byte*>(buffer.data()), buffer.size_bytes()};
}

}  // namespace

Result<Session> Session::start(Device& device, const Operator& op, const CompiledSubject& subject,
                               std::chrono::milliseconds deadline) {
  Session session(device, subject, deadline);
  for (const TensorSpec& input : op.inputs) {
    if (input.constant) session.constant_inputs_.insert(input.name);
  }
  auto runner = device.start_runner(subject.binary, subject.plan);
  if (!runner) return failure(runner.error());
  session.runner_ = std::move(*runner);
  return session;
}

Result<void> Session::add_set(Placement placement, const Buffers& inputs) {
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

void Session::write_inputs(std::size_t set, const Draw& draw) {
  for (std::size_t i = 0; i < draw.inputs.size(); ++i) {
    std::memcpy(sets_[set].buffers[i]->data(), draw.inputs[i].data(), draw.inputs[i].size());
  }
}

void Session::poison_role(std::size_t set, BufferRole role, std::uint8_t pattern) {
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (planned()[i].role == role) poison(bytes_of(*sets_[set].buffers[i]), pattern);
  }
}

Result<RunReport> Session::prepare(const Pass& pass, const Draw& draw, RunOptions options) {
  const bool hide = !pass.timed;
  for (std::size_t i = 0; hide && i < draw.inputs.size(); ++i) {
    if (constant_inputs_.count(planned()[i].name) == 0)
      poison(bytes_of(*sets_[pass.set].buffers[i]), pass.poison);
  }
  options.prepare = true;
  auto report = runner_->run(sets_[pass.set].number, options);
  if (hide) write_inputs(pass.set, draw);
  if (report) prepare_us_ = report->wall_us;
  return report;
}

Result<RunReport> Session::run(const Pass& pass, const Draw& draw) {
  RunOptions options{.order = pass.order, .order_seed = pass.order_seed, .deadline = deadline_};
  poison_role(pass.set, BufferRole::scratch, pass.poison);
  if (!subject_->plan.prepare.empty()) {
    auto prepared = prepare(pass, draw, options);
    if (!prepared || !prepared->verdict.passed()) return prepared;
  }
  poison_role(pass.set, BufferRole::output, pass.poison);
  if (pass.timed) device_->flush_caches();
  return runner_->run(sets_[pass.set].number, options);
}

std::optional<Verdict> Session::damage(std::size_t set, const Draw& draw) const {
  for (std::size_t i = 0; i < planned().size(); ++i) {
    SharedBuffer& buffer = *sets_[set].buffers[i];
    if (!buffer.canaries_intact()) {
      return Verdict{
          Outcome::illegal_access, Gate::correctness,
          fmt::format("Something was written just outside buffer '{}' ({} bytes). Check the index against "
                      "the number of elements, {}.",
                      planned()[i].name, buffer.size_bytes(), planned()[i].elements)};
    }
    if (i < draw.inputs.size() &&
        std::memcmp(buffer.data(), draw.inputs[i].data(), draw.inputs[i].size()) != 0) {
      return Verdict{
          Outcome::illegal_access, Gate::correctness,
          fmt::format("Input '{}' was changed by the kernel; inputs are read-only.", planned()[i].name)};
    }
  }
  return std::nullopt;
}

Elements Session::output(std::size_t set, std::size_t output) const {
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (planned()[i].role != BufferRole::output || output-- > 0) continue;
    return {planned()[i].dtype, static_cast<const std::byte*>(sets_[set].buffers[i]->data()),
            static_cast<std::size_t>(planned()[i].elements)};
  }
  return {};
}

std::vector<Bytes> Session::copy_outputs(std::size_t set) const {
  std::vector<Bytes> copies;
  for (std::size_t i = 0; i < planned().size(); ++i) {
    if (planned()[i].role != BufferRole::output) continue;
    const auto bytes = bytes_of(*sets_[set].buffers[i]);
    copies.emplace_back(bytes.begin(), bytes.end());
  }
  return copies;
}

}  // namespace kevolve
