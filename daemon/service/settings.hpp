#pragma once
// DaemonSettings: the configuration file of kevolved (config/schema/daemon.schema.json, docs/daemon.md).
// Plain data, immutable after load.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/text/json.hpp"

namespace kevolve::service {

struct PoolConfig {
  std::string name, device;
  int workers = 1;
  std::string gpus;  ///< of each worker; "": its device alone
  std::vector<std::string> launcher;
  std::chrono::seconds idle{600}, start{60};
  bool operator==(const PoolConfig&) const = default;
};

struct HttpConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7421;
  std::filesystem::path token_file;  ///< "": no token
  bool operator==(const HttpConfig&) const = default;
};

struct NotificationConfig {
  std::set<std::string> events = {"champion", "end", "trouble"};
  std::vector<std::string> command;    ///< empty: none
  std::filesystem::path webhook_file;  ///< "": none
  std::chrono::seconds timeout{10};
  bool operator==(const NotificationConfig&) const = default;
};

struct DaemonSettings {
  std::filesystem::path archive;
  int max_running = 2;
  std::vector<PoolConfig> pools;
  bool job_launchers = false;
  std::filesystem::path models;
  std::filesystem::path worker_cache;  ///< "": the workers' own
  std::chrono::seconds drain{90};
  std::optional<HttpConfig> http;
  std::filesystem::path summaries;  ///< a folder
  NotificationConfig notifications;
};

/// `folder`: that of the file, which its paths are relative to. `where` starts every error.
Result<DaemonSettings> parse_daemon_settings(const Json& document, const std::filesystem::path& folder,
                                             const std::string& where);
Result<DaemonSettings> load_daemon_settings(const std::filesystem::path& file);

/// What a running service does about a new configuration.
struct SettingsChange {
  std::vector<std::string> changed;        ///< keys that count from now on
  std::vector<std::string> needs_restart;  ///< keys that do not
};
SettingsChange compare(const DaemonSettings& before, const DaemonSettings& after);

}  // namespace kevolve::service
