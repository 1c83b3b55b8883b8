#include "tests/fault_server/fault_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace kevolve::testing {
using namespace process;
namespace {

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "the fault server: {}; it needs python3 (scripts/setup.sh --test)\n", why);
  std::abort();
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

FaultServer::FaultServer(bool tls, int port) : tls_(tls) {
  auto [input, our_input] = make_pipe();
  auto [our_output, output] = make_pipe();
  ChildSettings settings;
  settings.descriptors = {{input.get(), 0}, {output.get(), 1}, {2, 2}};
  std::vector<std::string> argv = {"python3", "-B", KEVOLVE_SOURCE_DIR "/tests/fault_server/fault_server.py",
                                   "--port", std::to_string(port)};
  if (tls) argv.push_back("--tls");
  auto child = Child::spawn(argv, settings);
  if (!child) give_up(child.error().message);
  child_.emplace(std::move(*child));
  input_ = std::move(our_input);
  output.reset();
  std::string line;
  for (char c = 0; c != '\n'; line += c) {
    if (::read(our_output.get(), &c, 1) != 1) give_up("it ended before it said its port");
  }
  std::string word;
  std::istringstream(line) >> word >> port_ >> certificate_;
}

FaultServer::~FaultServer() {
  input_.reset();
  child_->wait(std::chrono::seconds(3));
}

std::string FaultServer::url(const std::string& script) const {
  return fmt::format("{}://127.0.0.1:{}/{}/v1", tls_ ? "https" : "http", port_, script);
}

void FaultServer::set_script(const std::string& name, const std::string& script) const {
  (void)admin("POST", "/admin/script", Json{{"name", name}, {"script", script}}.dump());
}

void FaultServer::set_answers(const Json& answers) const {
  (void)admin("POST", "/admin/answers", answers.dump());
}

Json FaultServer::log(const std::string& name) const {
  return admin("GET", "/admin/log?" + name, "");
}

Json FaultServer::admin(const std::string& method, const std::string& path, const std::string& body) const {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port_);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up("gone");
  const std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                                          method, path, body.size(), body);
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("gone");
  std::string reply;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::read(socket.get(), buffer, sizeof buffer)) > 0;) {
    reply.append(buffer, static_cast<std::size_t>(got));
  }
  return Json::parse(reply.substr(reply.find("\r\n\r\n") + 4));
}

int unused_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    give_up("no port");
  }
  return ntohs(address.sin_port);
}

}  // namespace kevolve::testing
