#pragma once
// The kinds of idea source that are a ModelSource: `llm`, `manual`, `replay`.
//
// A check reads files and environment only: it makes no file and no folder, starts no thread, and leaves keys
// where they are. It gives the error that opening would end in now, where that can be told. Errors are for
// the job's author.

#include "daemon/engine/ideas/opening.hpp"

namespace kevolve::engine {

Result<void> check_llm(const JobIdeaSource& settings, const Opening& opening);
Result<void> check_manual(const JobIdeaSource& settings, const Opening& opening);
Result<void> check_replay(const JobIdeaSource& settings, const Opening& opening);

OpenedSource open_llm(const JobIdeaSource& settings, Opening& opening);
OpenedSource open_manual(const JobIdeaSource& settings, Opening& opening);
OpenedSource open_replay(const JobIdeaSource& settings, Opening& opening);

}  // namespace kevolve::engine
