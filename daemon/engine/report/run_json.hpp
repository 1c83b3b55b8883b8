#pragma once
// What a run says of itself, as JSON: `kevolve run --json`, the service's answers, events.

#include "core/search/budget.hpp"
#include "daemon/engine/report/observer.hpp"

namespace kevolve::engine {

Json to_json(const OperatorSummary& summary);
Json to_json(const search::Usage& usage);
Json to_json(const RunSummary& summary);

}  // namespace kevolve::engine
