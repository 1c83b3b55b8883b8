#include "daemon/cli/service_link.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/http/target.hpp"

namespace kevolve::cli {

void add_service_options(CLI::App& app, ServiceOptions& options) {
  app.add_option(
      "--service", options.service,
      "HOST:PORT of kevolved (default: $KEVOLVE_SERVICE, else the one that runs with the archive)");
  app.add_option(
      "--token-file", options.token_file,
      "Holds the token of the service (default: $KEVOLVE_TOKEN, else $KEVOLVE_TOKEN_FILE, else the "
      "file that the service names)");
  app.add_flag("--json", options.json, "For scripts");
  add_archive_option(app, options.archive);
}

Result<std::optional<http::Client>> find_service(const ServiceOptions& options) {
  std::string named = options.service;
  const char* variable = std::getenv("KEVOLVE_SERVICE");
  if (named.empty() && variable != nullptr) named = variable;
  http::ServiceAddress address;
  if (!named.empty()) {
    const Result<http::ServiceAddress> parsed = http::parse_service_address(named);
    if (!parsed) return failure(parsed.error());
    address = *parsed;
  } else {
    const std::optional<http::ServiceAddress> running = http::running_service(options.archive);
    if (!running) return std::optional<http::Client>();
    address = *running;
  }
  Result<std::string> token =
      options.token_file.empty() ? http::find_token(address) : http::read_token(options.token_file);
  if (!token) return failure(token.error());
  return std::optional<http::Client>(http::Client(std::move(address), std::move(*token)));
}

Result<http::Client> require_service(const ServiceOptions& options) {
  Result<std::optional<http::Client>> found = find_service(options);
  if (!found) return failure(found.error());
  if (!*found) {
    return failure(fmt::format(
        "no kevolved runs with the archive {}; start one with 'kevolved --archive {}', or name one with "
        "--service HOST:PORT",
        options.archive.string(), options.archive.string()));
  }
  return std::move(**found);
}

int complain(const http::CallFailure& failure) {
  std::string hint;
  if (failure.status == 401 || failure.status == 403)
    hint = " (give it in $KEVOLVE_TOKEN, or name its file with --token-file)";
  fmt::print(stderr, "kevolve: {}{}\n", failure.message, hint);
  if (failure.status == 404) return kNotFound;
  return failure.status >= 400 && failure.status < 500 ? kUsage : kOperational;
}

std::string job_path(const std::string& job, std::string_view rest) {
  return fmt::format("/v1/jobs/{}{}", percent_encoded(job), rest);
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>()
                            : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kevolve::cli
