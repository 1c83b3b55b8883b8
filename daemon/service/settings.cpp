#include "daemon/service/settings.hpp"

#include <fmt/format.h>

#include "core/model/gpu_choice.hpp"
#include "core/text/schema.hpp"
#include "daemon/engine/job/places.hpp"

namespace kevolve::service {
namespace fs = std::filesystem;
namespace {

// The schema has accepted what these read.
template <class Value>
void maybe(const Json& json, const char* key, Value& target) {
  if (json.contains(key)) target = json[key].get<Value>();
}

void maybe(const Json& json, const char* key, std::chrono::seconds& target) {
  if (json.contains(key)) target = std::chrono::seconds(json[key].get<std::int64_t>());
}

void maybe_path(const Json& json, const char* key, const fs::path& folder, fs::path& target) {
  if (json.contains(key)) target = (folder / json[key].get<std::string>()).lexically_normal();
}

Result<PoolConfig> read_pool(const Json& json) {
  PoolConfig pool;
  pool.name = json["name"];
  pool.device = json["device"];
  maybe(json, "workers", pool.workers);
  TRY(pool.gpus, gpus_from_json(json, pool.device));
  maybe(json, "launcher", pool.launcher);
  maybe(json, "idle_seconds", pool.idle);
  maybe(json, "start_seconds", pool.start);
  return pool;
}

Result<std::vector<PoolConfig>> read_pools(const Json& list) {
  std::vector<PoolConfig> pools;
  for (const Json& json : list) {
    Result<PoolConfig> pool = read_pool(json);
    if (!pool) return failure(pool.error().in(fmt::format("pools[{}]", pools.size())));
    for (const PoolConfig& other : pools) {
      if (other.name == pool->name)
        return failure(
            fmt::format("pools[{}].name: '{}' is another pool's already", pools.size(), pool->name));
      if (other.device == pool->device)
        return failure(
            fmt::format("pools[{}].device: '{}' is pool {}'s already, and a job goes by its device; "
                        "expected one pool for each device",
                        pools.size(), pool->device, other.name));
    }
    pools.push_back(std::move(*pool));
  }
  return pools;
}

}  // namespace

Result<DaemonSettings> parse_daemon_settings(const Json& document, const fs::path& folder,
                                             const std::string& where) {
  TRY_DO(validate(document, "daemon", where));
  DaemonSettings settings;
  settings.archive = engine::default_archive();
  settings.models = engine::default_models_file();
  maybe_path(document, "archive", folder, settings.archive);
  maybe_path(document, "models", folder, settings.models);
  maybe_path(document, "worker_cache", folder, settings.worker_cache);
  settings.summaries = settings.archive.string() + ".summaries";
  maybe_path(document, "summaries", folder, settings.summaries);
  maybe(document, "max_running", settings.max_running);
  maybe(document, "job_launchers", settings.job_launchers);
  maybe(document, "drain_seconds", settings.drain);
  settings.pools = {PoolConfig{"cpu", "cpu", 1, "", {}}};
  if (document.contains("pools")) {
    auto pools = read_pools(document["pools"]);
    if (!pools) return failure(pools.error().in(where));
    settings.pools = std::move(*pools);
  }
  if (document.contains("http")) {
    const Json& json = document["http"];
    HttpConfig& http = settings.http.emplace();
    maybe(json, "address", http.address);
    maybe(json, "port", http.port);
    maybe_path(json, "token_file", folder, http.token_file);
  }
  if (document.contains("notifications")) {
    const Json& json = document["notifications"];
    maybe(json, "events", settings.notifications.events);
    maybe(json, "command", settings.notifications.command);
    maybe_path(json, "webhook_file", folder, settings.notifications.webhook_file);
    maybe(json, "timeout_seconds", settings.notifications.timeout);
  }
  return settings;
}

Result<DaemonSettings> load_daemon_settings(const fs::path& file) {
  TRY(const Json document, read_json_file(file));
  return parse_daemon_settings(document, file.parent_path(), file.string());
}

SettingsChange compare(const DaemonSettings& before, const DaemonSettings& after) {
  SettingsChange change;
  const auto note = [&](bool same, const char* key, bool restart) {
    if (!same) (restart ? change.needs_restart : change.changed).emplace_back(key);
  };
  note(before.archive == after.archive, "archive", true);
  note(before.http == after.http, "http", true);
  note(before.models == after.models, "models", true);  // keys were taken from the environment at the start
  note(before.max_running == after.max_running, "max_running", false);
  note(before.pools == after.pools, "pools", false);
  note(before.job_launchers == after.job_launchers, "job_launchers", false);
  note(before.worker_cache == after.worker_cache, "worker_cache", false);
  note(before.drain == after.drain, "drain_seconds", false);
  note(before.summaries == after.summaries, "summaries", false);
  note(before.notifications == after.notifications, "notifications", false);
  return change;
}

}  // namespace kevolve::service
