// Workloads of operators as the archive knows them, and how near they are to each other.

#include <cmath>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

/// A workload of an archived document; nothing when it has none of that name, or is none of today's
/// documents.
std::optional<Workload> from_document(const Json& document, std::string_view wanted) {
  const Result<Operator> op = parse_operator(document, "an archived operator");
  const Workload* found = op ? op->workload(wanted) : nullptr;
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Workload> find_workload(Connection& connection, std::string_view op, std::string_view wanted) {
  Statement rows(connection, "SELECT document FROM operators WHERE name = ?1 ORDER BY id DESC");
  rows.bind(op);
  while (rows.step()) {
    Json document;
    rows.read(document);
    if (auto found = from_document(document, wanted)) return found;
  }
  return std::nullopt;
}

}  // namespace

double workload_distance(const Bindings& a, const Bindings& b) {
  const double absent = std::log(2.0);
  double sum = 0;
  for (const auto& [axis, size] : a) {
    const auto other = b.find(axis);
    if (other == b.end()) {
      sum += absent;
    } else if (size > 0 && other->second > 0) {
      sum += std::abs(std::log(static_cast<double>(size) / static_cast<double>(other->second)));
    } else if (size != other->second) {
      sum += absent;
    }
  }
  for (const auto& [axis, size] : b) sum += a.contains(axis) ? 0 : absent;
  return sum;
}

Result<std::optional<Workload>> Archive::workload(std::string_view operator_name, std::string_view workload) {
  return impl_->read([&] { return find_workload(impl_->connection, operator_name, workload); });
}

Result<std::vector<Workload>> Archive::ranked_workloads(std::string_view operator_name) {
  return impl_->read([&] {
    Statement rows(impl_->connection, R"sql(
        SELECT DISTINCT r.workload FROM operators o JOIN rankings r ON r.operator = o.id
         WHERE o.name = ?1 AND EXISTS (SELECT 1 FROM standings s WHERE s.ranking = r.id AND s.state = 'verified')
         ORDER BY r.workload)sql");
    rows.bind(operator_name);
    std::vector<Workload> found;
    while (rows.step()) {
      std::string wanted;
      rows.read(wanted);
      auto workload = find_workload(impl_->connection, operator_name, wanted);
      found.push_back(workload ? std::move(*workload) : Workload{wanted, {}, {}});
    }
    return found;
  });
}

}  // namespace kevolve::archive
