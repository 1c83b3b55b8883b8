#include "core/worker/fan_out/child_worker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kevolve {
namespace {

constexpr std::size_t kWriteBytes = 1 << 16;

struct Pipe {
  UniqueFd ours, theirs;
};

/// `we_write`: ours is the end that is written to. Ours does not block.
Result<Pipe> make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return failure(std::string("cannot make a pipe: ") + std::strerror(errno));
  Pipe pipe{UniqueFd(ends[we_write ? 1 : 0]), UniqueFd(ends[we_write ? 0 : 1])};
  ::fcntl(pipe.ours.get(), F_SETFL, ::fcntl(pipe.ours.get(), F_GETFL) | O_NONBLOCK);
  return pipe;
}

}  // namespace

Result<ChildWorker> ChildWorker::start(const ChildPlan& plan) {
  auto in = make_pipe(true), out = make_pipe(false), err = make_pipe(false);
  for (const auto* pipe : {&in, &out, &err})
    if (!*pipe) return failure(pipe->error());
  ChildSettings settings;
  settings.descriptors = {{in->theirs.get(), 0}, {out->theirs.get(), 1}, {err->theirs.get(), 2}};
  settings.environment = plan.environment;
  settings.dies_with_us = true;
  auto process = Child::spawn(plan.argv, settings);
  if (!process) return failure(process.error());
  ChildWorker child(plan.mark, std::move(*process));
  child.in_ = std::move(in->ours);
  child.out_ = std::move(out->ours);
  child.err_ = std::move(err->ours);
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

}  // namespace kevolve
