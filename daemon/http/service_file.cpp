// Where a running service is, and its token: files beside the archive, and the environment.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "archive/process_identity.hpp"
#include "core/text/field_reader.hpp"
#include "daemon/http/access.hpp"
#include "daemon/http/client.hpp"

namespace kevolve::http {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kMostFileBytes = 4096;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<ServiceAddress> read_service_file(const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error || bytes > kMostFileBytes) return failure(fmt::format("{}: no such file", file.string()));
  const Result<Json> json = read_json_file(file);
  if (!json) return failure(json.error());
  FieldReader reader(*json, file.string());
  std::string address, token_file, process;
  reader.read("address", address);
  reader.read("process", process);
  reader.maybe("token_file", token_file);
  std::int64_t pid = 0;
  reader.read("pid", pid);
  const Result<bool> fields = reader.finish(true);
  if (!fields) return failure(fields.error());
  Result<ServiceAddress> parsed = parse_service_address(address);
  if (!parsed) return parsed;
  parsed->process = process;
  parsed->token_file = token_file;
  return parsed;
}

}  // namespace

Result<ServiceAddress> parse_service_address(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  std::string_view host = rest.substr(0, std::min(colon, rest.size()));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  ServiceAddress address;
  address.host = host;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  const bool plain = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == ':' || c == '_';
  });
  if (port.empty() || error != std::errc() || end != port.data() + port.size() || address.port == 0 ||
      !plain) {
    return failure(fmt::format(
        "'{}' is not the address of a service; expected HOST:PORT, such as 127.0.0.1:7421", text));
  }
  return address;
}

fs::path service_file(const fs::path& archive) {
  return archive.string() + ".service";
}

Result<void> write_service_file(const fs::path& archive, const ServiceAddress& address) {
  const fs::path file = service_file(archive);
  const fs::path draft = file.string() + fmt::format(".{}", ::getpid());
  const bool six = address.host.find(':') != std::string::npos;
  const std::string where = fmt::format(fmt::runtime(six ? "[{}]:{}" : "{}:{}"), address.host, address.port);
  Json json = {{"address", where}, {"pid", ::getpid()}, {"process", archive::process_identity()}};
  if (!address.token_file.empty()) json["token_file"] = fs::absolute(address.token_file).string();
  {
    std::ofstream out(draft);
    out << json.dump(2) << "\n";
    if (!out.flush()) return failure(fmt::format("{}: cannot be written", draft.string()));
  }
  std::error_code error;
  fs::rename(draft, file, error);
  if (error) return failure(fmt::format("{}: {}", file.string(), error.message()));
  return {};
}

void remove_service_file(const fs::path& archive) {
  std::error_code ignored;
  fs::remove(service_file(archive), ignored);
}

std::optional<ServiceAddress> running_service(const fs::path& archive) {
  const Result<ServiceAddress> address = read_service_file(service_file(archive));
  if (!address || !archive::process_is_alive(address->process)) return std::nullopt;
  return *address;
}

Result<std::string> read_token(const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error) return failure(fmt::format("{}: {}", file.string(), error.message()));
  if (bytes > kMostFileBytes) return failure(fmt::format("{}: too long for a token", file.string()));
  Result<std::string> text = read_text_file(file);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (const auto rules = access_rules("127.0.0.1", *text); !rules)
    return failure(rules.error().in(file.string()));
  if (text->empty()) return failure(fmt::format("{}: is empty; expected a token", file.string()));
  return text;
}

Result<std::string> find_token(const ServiceAddress& address) {
  if (std::string token = variable("KEVOLVE_TOKEN"); !token.empty()) {
    // A line break in it would begin another header.
    if (const auto rules = access_rules("127.0.0.1", token); !rules)
      return failure(rules.error().in("KEVOLVE_TOKEN"));
    return token;
  }
  if (const std::string file = variable("KEVOLVE_TOKEN_FILE"); !file.empty()) return read_token(file);
  // A file that anybody may have written is not to send a secret of ours to another machine.
  if (address.token_file.empty() || !is_loopback(address.host)) return std::string();
  if (::access(address.token_file.c_str(), R_OK) != 0) return std::string();
  return read_token(address.token_file);
}

}  // namespace kevolve::http
