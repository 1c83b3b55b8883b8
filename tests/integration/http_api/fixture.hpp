#pragma once
// The HTTP API over a service that only pretends, and a client of bare sockets that can misbehave.

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/process/unique_fd.hpp"
#include "daemon/http/server.hpp"
#include "tests/catch.hpp"

namespace kevolve::testing {

inline const std::string kToken = "a-token-of-32-characters-exactly";

/// Jobs by name with a state and a priority, in a thread of its own.
class PretendedService final : public service::Service {
 public:
  PretendedService();
  ~PretendedService() override;
  void ask(service::ServiceRequest request, std::function<void(service::ServiceReply)> reply) override;

  /// From then on nothing is answered; what was asked meanwhile is, when it speaks again.
  void fall_silent(bool silent);
  void begin_draining();
  [[nodiscard]] int asked() const;

 private:
  struct Asked {
    service::ServiceRequest request;
    std::function<void(service::ServiceReply)> reply;
  };
  void work();
  service::ServiceReply answer(const service::ServiceRequest& request);
  service::ServiceReply of_job(const service::ServiceRequest& request);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Asked> waiting_;
  bool stopping_ = false, silent_ = false, draining_ = false;
  int asked_ = 0;
  std::map<std::string, Json> jobs_;
  std::thread thread_;
};

/// A folder of this process with an archive in it: of softmax at `small`, a kernel that is twice as fast as
/// naive.
class ArchiveFolder {
 public:
  ArchiveFolder();
  ~ArchiveFolder();
  ArchiveFolder(const ArchiveFolder&) = delete;
  ArchiveFolder& operator=(const ArchiveFolder&) = delete;
  [[nodiscard]] std::filesystem::path archive() const { return path_ / "a.db"; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::string& hash() const { return hash_; }  ///< of the kernel
  static constexpr const char* kSource = "// the good one\n";

 private:
  std::filesystem::path path_;
  std::string hash_;
};

struct RunningServer {
  explicit RunningServer(http::HttpSettings settings = {}, std::size_t event_capacity = 16384);
  ArchiveFolder folder;
  PretendedService service;
  service::EventLog log;
  http::Server server;
};

http::HttpSettings with_token(http::HttpLimits limits = {});

struct HttpReply {
  int status = 0;                              ///< 0: the connection ended without one
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  [[nodiscard]] Json json() const { return Json::parse(body); }
  [[nodiscard]] std::string kind() const { return json().at("error").at("kind").get<std::string>(); }
};

/// One connection. Every wait ends after `patience`.
class BareClient {
 public:
  explicit BareClient(std::uint16_t port, int patience_ms = 10'000);
  bool send(std::string_view bytes);  ///< false: the server closed it
  /// As much as there is, at least a byte; "" at the end or when nothing comes.
  std::string receive();
  /// The next answer; `head`: of a request that gets no body.
  HttpReply reply(bool head = false);
  std::string rest();  ///< until the server closes
  void end_sending();
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  process::UniqueFd socket_;
  int patience_ms_;
  std::string buffer_;
};

/// The header of a request, with `extra` lines each ended by "\r\n".
std::string request_head(std::string_view method, std::string_view target, std::string_view extra = "");
std::string authorization(std::string_view token = kToken);

/// One request on a connection of its own.
HttpReply ask(std::uint16_t port, std::string_view method, std::string_view target,
              std::string_view extra = "");
/// With a JSON body and the token.
HttpReply tell(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body);

}  // namespace kevolve::testing
