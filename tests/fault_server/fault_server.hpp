#pragma once
// FaultServer: fault_server.py as a child process, and its admin requests. Needs python3. One thread.

#include <memory>
#include <optional>
#include <string>

#include "core/process/child.hpp"
#include "core/process/unique_fd.hpp"
#include "core/text/json.hpp"

namespace kevolve::testing {

class FaultServer {
 public:
  /// Aborts with a message when it does not start. `port`: 0 for any that is free.
  explicit FaultServer(bool tls = false, int port = 0);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  /// The url of an endpoint that behaves as `script` says; the grammar is in fault_server.py.
  [[nodiscard]] std::string url(const std::string& script) const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int pid() const { return child_->pid(); }
  [[nodiscard]] const std::string& certificate() const { return certificate_; }  ///< a PEM file, with tls

  /// From now on the endpoint `name` behaves so.
  void set_script(const std::string& name, const std::string& script) const;
  /// From now on the first of these whose "match" is in a prompt answers it: [{"match", "text",
  /// "reasoning"}].
  void set_answers(const Json& answers) const;
  /// What it was asked as endpoint `name`, in order.
  [[nodiscard]] Json log(const std::string& name) const;
  [[nodiscard]] int connections() const { return admin("GET", "/admin/connections", "").get<int>(); }

 private:
  [[nodiscard]] Json admin(const std::string& method, const std::string& path, const std::string& body) const;

  std::optional<process::Child> child_;
  process::UniqueFd input_;
  int port_ = 0;
  bool tls_;
  std::string certificate_;
};

/// A port of 127.0.0.1 that nobody listens at now.
int unused_port();

}  // namespace kevolve::testing
