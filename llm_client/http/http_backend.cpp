#include "llm_client/http/http_backend.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "core/text/names.hpp"
#include "core/text/schema.hpp"
#include "llm_client/http/request_loop.hpp"

namespace kevolve::llm {

Result<std::set<std::string>> endpoints_of(const ModelsFile& file, const std::vector<WeightedModel>& models) {
  std::set<std::string> endpoints;
  for (const WeightedModel& wanted : models) {
    const auto model = file.models.find(wanted.model);
    if (model == file.models.end()) {
      std::vector<std::string> known;
      for (const auto& [name, ignored] : file.models) known.push_back(name);
      const std::string near = nearest(wanted.model, known);
      return failure(fmt::format("found the model \"{}\"; expected one of the models file's: {}{}",
                                 wanted.model, fmt::join(known, ", "),
                                 near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
    }
    endpoints.insert(model->second.endpoint);
  }
  return endpoints;
}

Result<void> check_choice(const ModelsFile& file, const std::vector<WeightedModel>& models) {
  TRY_DO(endpoints_of(file, models));
  if (models.empty()) return failure("no model is named; expected at least one of the models file");
  std::set<std::string> seen;
  for (const WeightedModel& model : models) {
    if (!seen.insert(model.model).second)
      return failure(fmt::format("the model \"{}\" is named twice", model.model));
    if (!(model.weight > 0)) {
      return failure(
          fmt::format("model \"{}\": found weight {}; expected one above 0", model.model, model.weight));
    }
  }
  return {};
}

Result<std::unique_ptr<HttpBackend>> HttpBackend::open(const ModelsFile& file,
                                                       std::vector<WeightedModel> models, const KeyRing& keys,
                                                       BackendEvents events, const HttpSettings& settings) {
  TRY_DO(check_choice(file, models));
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return failure("libcurl cannot be initialised");
  auto loop = std::make_unique<RequestLoop>(file, models, keys, std::move(events), settings);
  return std::unique_ptr<HttpBackend>(new HttpBackend(std::move(loop)));
}

HttpBackend::HttpBackend(std::unique_ptr<RequestLoop> loop)
    : loop_(std::move(loop)), thread_([this] { loop_->run(); }) {}

HttpBackend::~HttpBackend() {
  loop_->end();
  thread_.join();
}

void HttpBackend::ask(Question question, AnswerHandler handler) {
  loop_->ask(std::move(question), std::move(handler));
}

void HttpBackend::stop() {
  loop_->stop();
}

}  // namespace kevolve::llm
