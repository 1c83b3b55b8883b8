// kevolve models: which models a models file names, and, with --try, whether they answer.

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <mutex>

#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/job/places.hpp"
#include "llm_client/http/http_backend.hpp"

namespace kevolve::cli {
namespace {

struct ModelsOptions {
  std::vector<std::string> names;
  std::filesystem::path file;
  std::string question = "Reply with the single word: ready";
  bool ask = false, json = false;
};

std::string in_price(const llm::ModelSettings& model) {
  if (!model.price) return "unknown";
  if (model.price->input == 0 && model.price->output == 0) return "free";
  return fmt::format("{:g} in, {:g} out", model.price->input, model.price->output);
}

std::string in_key(const llm::EndpointSettings& endpoint) {
  if (!endpoint.key.env.empty()) return "$" + endpoint.key.env;
  return endpoint.key.file.empty() ? "none" : endpoint.key.file;
}

int list(const llm::ModelsFile& file, const std::vector<std::string>& names, bool json) {
  Json objects = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : names) {
    const llm::ModelSettings& model = file.models.at(name);
    const llm::EndpointSettings& endpoint = file.endpoints.at(model.endpoint);
    objects.push_back({{"model", name},
                       {"endpoint", endpoint.name},
                       {"url", endpoint.url},
                       {"served_as", model.model},
                       {"key", in_key(endpoint)},
                       {"priced", model.price.has_value()}});
    rows.push_back({name, model.model, endpoint.name, endpoint.url, in_key(endpoint), in_price(model)});
  }
  if (json) {
    print_json(objects);
  } else {
    fmt::print(
        "{}\n\nprices in USD per million tokens. `kevolve models NAME --try` asks one of them a short "
        "question.\n",
        table({"model", "served as", "endpoint", "url", "key from", "price"}, rows));
  }
  return kOk;
}

Json to_json(const std::string& name, const llm::ChatResult& result) {
  if (!result) return {{"model", name}, {"error", result.error().message}};
  return {{"model", name},
          {"served_by", result->served_by},
          {"text", result->text},
          {"reasoning", result->reasoning},
          {"finish", llm::name(result->finish)},
          {"input_tokens", result->usage.input},
          {"cached_tokens", result->usage.cached_input},
          {"output_tokens", result->usage.output},
          {"reasoning_tokens", result->usage.reasoning},
          {"usage_estimated", result->usage_estimated},
          {"cost_usd", result->cost_usd ? Json(*result->cost_usd) : Json()},
          {"latency_ms", result->latency.count()},
          {"attempts", result->attempts}};
}

/// One question to one model; what the client noted on the way goes to stderr.
llm::ChatResult ask(const llm::ModelsFile& file, const std::string& name, const llm::KeyRing& keys,
                    const std::string& question) {
  llm::BackendEvents events;
  events.noted = [](std::string_view what) { fmt::print(stderr, "  {}\n", what); };
  std::unique_ptr<llm::HttpBackend> asked;
  std::string away;  // written on the backend's thread before the answer, read after it
  events.outage_began = [&](std::string_view endpoint, std::string_view why) {
    away = fmt::format("{} does not answer: {}", endpoint, why);
    asked->stop();  // a job would wait for it
  };
  auto backend = llm::HttpBackend::open(file, {{name, 1}}, keys, events);
  if (!backend) return tl::unexpected(llm::ChatError{llm::ChatError::Kind::refused, backend.error().message});
  std::promise<llm::ChatResult> promise;
  std::future<llm::ChatResult> answer = promise.get_future();
  asked = std::move(*backend);
  asked->ask({{"none", "none", 1, "try"}, {{llm::Role::user, question}}, 1},
             [&](llm::ChatResult result) { promise.set_value(std::move(result)); });
  llm::ChatResult result = answer.get();
  if (!result && !away.empty()) result.error().message = away;
  return result;
}

int try_models(const llm::ModelsFile& file, const ModelsOptions& options) {
  std::vector<llm::WeightedModel> models;
  for (const std::string& name : options.names) models.push_back({name, 1});
  const auto endpoints = llm::endpoints_of(file, models);
  if (!endpoints) return complain(endpoints.error(), kUsage);
  const auto keys = llm::take_keys(file, *endpoints);
  if (!keys) return complain(keys.error(), kUsage);
  bool all = true;
  Json objects = Json::array();
  for (const std::string& name : options.names) {
    const llm::ChatResult result = ask(file, name, *keys, options.question);
    all = all && result;
    objects.push_back(to_json(name, result));
    if (options.json) continue;
    if (!result) {
      fmt::print("{}: {}\n", name, result.error().message);
    } else {
      fmt::print("{}: answered in {:.1f} s ({}, {} tokens in, {} out{}): {}\n", name,
                 static_cast<double>(result->latency.count()) / 1000,
                 result->served_by.empty() ? "no name told" : result->served_by, result->usage.input,
                 result->usage.output, result->cost_usd ? fmt::format(", {:.6f} USD", *result->cost_usd) : "",
                 result->text.substr(0, 200));
    }
  }
  if (options.json) print_json(objects);
  return all ? kOk : kOperational;
}

int models(ModelsOptions options) {
  const Result<llm::ModelsFile> file = llm::load_models(options.file);
  if (!file) return complain(file.error(), kUsage);
  for (const std::string& name : options.names) {
    if (const auto known = llm::endpoints_of(*file, {{name, 1}}); !known)
      return complain(known.error(), kUsage);
  }
  if (options.ask && options.names.empty())
    return complain({"models: --try asks, and may cost: name the models to ask"}, kUsage);
  if (options.ask) return try_models(*file, options);
  if (options.names.empty()) {
    for (const auto& [name, ignored] : file->models) options.names.push_back(name);
  }
  return list(*file, options.names, options.json);
}

}  // namespace

Command add_models(CLI::App& app) {
  auto options = std::make_shared<ModelsOptions>();
  options->file = engine::default_models_file();
  CLI::App* sub =
      app.add_subcommand("models", "Which language models a models file names, and whether they answer");
  sub->add_option("names", options->names, "Only these models");
  sub->add_option("--models", options->file, "The models file (docs/models_file.md)")->capture_default_str();
  sub->add_flag("--try", options->ask, "Ask each of the named models a short question");
  sub->add_option("--question", options->question, "The question to ask")->capture_default_str();
  sub->add_flag("--json", options->json, "As JSON");
  return [options] { return models(*options); };
}

}  // namespace kevolve::cli
