#include "core/worker/fan_out/child_worker.hpp"

#include <unistd.h>

#include "core/process/pipe.hpp"

namespace kevolve::fan_out {
namespace {

constexpr std::size_t kWriteBytes = 1 << 16;

}  // namespace

Result<ChildWorker> ChildWorker::start(const ChildPlan& plan) {
  TRY(process::Pipe in, process::make_pipe());
  TRY(process::Pipe out, process::make_pipe());
  TRY(process::Pipe err, process::make_pipe());
  for (const process::UniqueFd* ours : {&in.write_end, &out.read_end, &err.read_end})
    process::make_nonblocking(*ours);
  process::ChildSettings settings;
  settings.descriptors = {{in.read_end.get(), 0}, {out.write_end.get(), 1}, {err.write_end.get(), 2}};
  settings.environment = plan.environment;
  settings.dies_with_us = true;
  TRY(process::Child process, process::Child::spawn(plan.argv, settings));
  ChildWorker child(plan.mark, std::move(process));
  child.in_ = std::move(in.write_end);
  child.out_ = std::move(out.read_end);
  child.err_ = std::move(err.read_end);
  return child;
}

ChildWorker::News ChildWorker::serve() {
  News news;
  if (in_.valid() && !to_.empty() && !to_.write_to(in_.get(), kWriteBytes)) in_.reset();  // its end follows
  news.exit_code = process_.wait(std::chrono::milliseconds(0));
  auto found = Incoming::Found::nothing;
  do {
    found = out_.valid() ? from_.read_from(out_.get(), news.lines) : Incoming::Found::end;
  } while (news.exit_code && found == Incoming::Found::some);
  if (found == Incoming::Found::end && !news.exit_code) {  // nothing will ever come from it
    out_.reset();
    process_.kill_group();
  }
  std::vector<std::string> log;
  do {
    found = err_.valid() ? log_.read_from(err_.get(), log) : Incoming::Found::end;
  } while (news.exit_code && found == Incoming::Found::some);
  if (found == Incoming::Found::end) err_.reset();
  if (news.exit_code && !log_.rest().empty()) log.push_back(log_.rest());
  pass_on(log);
  return news;
}

void ChildWorker::pass_on(const std::vector<std::string>& log) const {
  for (const std::string& line : log) {
    const std::string marked = line + ' ' + mark_ + '\n';
    [[maybe_unused]] const auto written =
        ::write(STDERR_FILENO, marked.data(), marked.size());  // one call: lines never mix
  }
}

void ChildWorker::add_to(std::vector<pollfd>& polls) const {
  polls.push_back({process_.exit_descriptor(), POLLIN, 0});
  if (out_.valid()) polls.push_back({out_.get(), POLLIN, 0});
  if (err_.valid()) polls.push_back({err_.get(), POLLIN, 0});
  if (in_.valid() && !to_.empty()) polls.push_back({in_.get(), POLLOUT, 0});
}

}  // namespace kevolve::fan_out
