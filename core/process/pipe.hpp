#pragma once
// Pipe: both ends of a pipe, closed in children that are not given one of them.

#include "core/process/unique_fd.hpp"
#include "core/text/result.hpp"

namespace kevolve::process {

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe();

/// Reads and writes through it no longer wait: they fail with EAGAIN.
void make_nonblocking(const UniqueFd& fd);

}  // namespace kevolve::process
