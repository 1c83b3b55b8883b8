#pragma once
// How commands reach a running kevolved: by --service, $KEVOLVE_SERVICE, or the file beside the archive.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "core/text/result.hpp"
#include "daemon/http/client.hpp"

namespace kevolve::cli {

struct ServiceOptions {
  std::string service;     ///< HOST:PORT; "": found
  std::string token_file;  ///< "": found
  std::filesystem::path archive;
  bool json = false;
};

/// Adds --service, --token-file, --archive and --json.
void add_service_options(CLI::App& app, ServiceOptions& options);

/// Nothing when no service is named and none runs with this archive. Does not connect yet.
Result<std::optional<http::Client>> find_service(const ServiceOptions& options);

/// As find_service(); but none is an error that says how to get one.
Result<http::Client> require_service(const ServiceOptions& options);

/// Prints why a call failed, and returns the exit code that fits.
int complain(const http::CallFailure& failure);

/// "/v1/jobs/NAME" and what follows.
std::string job_path(const std::string& job, std::string_view rest = "");

/// `kevolve resume` where a service has the archive. Prints, and returns the exit code.
int resume_at_service(http::Client& client, const std::string& job, bool json);

/// A member of an object as text: "" when absent or null.
std::string text_of(const Json& object, const char* key);

}  // namespace kevolve::cli
