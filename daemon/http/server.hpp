#pragma once
// Server: the HTTP API of a running service (docs/http_api.md). One thread of its own for all connections, a
// small pool for questions to the archive. The service, the log and the server's owner may use any threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/text/result.hpp"
#include "daemon/service/event_log.hpp"
#include "daemon/service/service.hpp"

namespace kevolve::http {

struct HttpLimits {
  std::size_t connections = 768;
  std::size_t target_bytes = 4096, header_bytes = 16384, body_bytes = std::size_t{1} << 20;
  std::chrono::milliseconds header_time{10'000}, body_time{30'000};
  std::chrono::milliseconds idle_time{75'000};    ///< between requests
  std::chrono::milliseconds write_time{30'000};   ///< and a second for each 64 KiB
  std::chrono::milliseconds answer_time{20'000};  ///< of the service, of the archive
  std::chrono::milliseconds heartbeat{15'000};
  int query_threads = 2;
  std::size_t waiting_queries = 64;
};

struct HttpSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7421;  ///< 0: any that is free
  std::string token = {};     ///< "": nothing can be changed; required on an address that others can reach
  HttpLimits limits = {};
};

class Server {
 public:
  /// `service` and `log` outlive the server.
  Server(HttpSettings settings, service::Service& service, service::EventLog& log,
         std::filesystem::path archive);
  ~Server();  ///< stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens, or says why it cannot. Once.
  Result<void> start();
  /// Accepts nothing more. Running requests have `grace` to end; followers of events get the remaining ones.
  void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(2000));
  [[nodiscard]] std::uint16_t port() const;  ///< after start()

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace kevolve::http
