#pragma once
// The endpoints that the archive alone answers. Pure but for the archive that a question is given.

#include <tl/expected.hpp>

#include "daemon/http/query_pool.hpp"
#include "daemon/http/router.hpp"

namespace kevolve::http {

/// For report, costs, best, candidate, source and lineage.
tl::expected<QueryPool::Question, Refusal> archive_question(const Match& match);

}  // namespace kevolve::http
