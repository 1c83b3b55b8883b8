#include "daemon/http/archive_endpoints.hpp"

#include <fmt/format.h>

#include "daemon/answers/best.hpp"
#include "daemon/answers/report.hpp"
#include "daemon/http/bodies.hpp"

namespace kevolve::http {
namespace {

Answer broken(const Error& error) {
  return refusal_answer({500, "internal", error.message});
}

Answer no_job(const std::string& name) {
  return refusal_answer({404, "not_found", fmt::format("the archive has no job '{}'", name)});
}

Answer report(archive::Archive& archive, const std::string& job) {
  const auto found = answers::answer_report(archive, job);
  if (!found) return broken(found.error());
  return *found ? json_answer(to_json(**found)) : no_job(job);
}

Answer costs(archive::Archive& archive, const std::string& name) {
  const auto job = archive.job(name);
  if (!job) return broken(job.error());
  if (!*job) return no_job(name);
  const auto found = archive.costs((*job)->id);
  if (!found) return broken(found.error());
  Json list = Json::array();
  for (const archive::CostRecord& cost : *found) list.push_back(to_json(cost));
  return json_answer(list);
}

Answer best(archive::Archive& archive, const answers::BestQuestion& question) {
  const auto found = answers::answer_best(archive, question);
  if (!found) return broken(found.error());
  if (found->kernels.empty())
    return refusal_answer({404, "not_found", answers::nothing_best(archive, question)});
  return json_answer(to_json(*found));
}

Answer candidate(archive::Archive& archive, Endpoint endpoint, const std::string& id) {
  const auto detail = archive.show(id);
  if (!detail) return refusal_answer({404, "not_found", detail.error().message});
  if (endpoint == Endpoint::candidate) return json_answer(to_json(*detail));
  if (endpoint == Endpoint::source) return {200, detail->candidate.source, "text/plain; charset=utf-8"};
  const auto tree = archive.lineage(detail->candidate.id, archive::kLineageGenerations);
  return tree ? json_answer(to_json(*tree)) : broken(tree.error());
}

}  // namespace

tl::expected<QueryPool::Question, Refusal> archive_question(const Match& match) {
  const std::string id = match.id;
  const Endpoint endpoint = match.route->endpoint;
  if (endpoint == Endpoint::report) return [id](archive::Archive& archive) { return report(archive, id); };
  if (endpoint == Endpoint::costs) return [id](archive::Archive& archive) { return costs(archive, id); };
  if (endpoint != Endpoint::best)
    return [id, endpoint](archive::Archive& archive) { return candidate(archive, endpoint, id); };
  auto question = best_question(match);
  if (!question) return tl::unexpected<Refusal>(question.error());
  return [question = std::move(*question)](archive::Archive& archive) { return best(archive, question); };
}

}  // namespace kevolve::http
