#pragma once
// Pipe: both ends of a pipe, closed in children that are not given one of them.

#include "core/model/result.hpp"
#include "core/process/unique_fd.hpp"

namespace kevolve {

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe();

/// Reads and writes through it no longer wait: they fail with EAGAIN.
void make_nonblocking(const UniqueFd& fd);

}  // namespace kevolve
