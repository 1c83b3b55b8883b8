#include "tests/integration/http_api/fixture.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "archive/archive.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace service;
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

DeviceInfo cpu() {
  DeviceInfo device;
  device.name = "cpu";
  device.model = "a processor";
  return device;
}

std::string fill(const std::filesystem::path& file) {
  Archive archive = must(Archive::open(file, OpenMode::read_write));
  const Operator op = must(load_operator(std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed/softmax"));
  const OperatorId op_id = must(archive.enter_operator(op));
  const JobRecord job = must(archive.begin_job("night", Json{{"name", "night"}}));
  const RunId run = must(archive.begin_run({job.id, cpu(), "1", Json::object()}));
  const RoundRecord round = must(archive.begin_round(job.id, op_id, "small"));
  const IdeaId idea =
      must(archive.add_idea({op_id, round.id, "playbook", "vectorise", "Load four at once."}));
  const auto ids = must(archive.add_candidates(idea, {{ArchiveFolder::kSource, {{"BLOCK", 64}}, {}}}));
  Evaluation e;
  e.verdict = {Outcome::passed, Gate::timing, ""};
  e.precision = PrecisionClass::strict_fp32;
  e.measurements = {{"candidate", "cold", {500}, 500, 499, 501}, {"naive", "cold", {1000}, 1000, 999, 1001}};
  e.speedup = 2;
  e.speedup_low = 1.9;
  e.device = cpu();
  const NewEvaluation row{ids[0], run, "small", PrecisionClass::strict_fp32, "naive", Purpose::search, e};
  REQUIRE(archive.record_evaluation(row));
  REQUIRE(archive.finish_round(round.id));
  REQUIRE(archive.end_run(run, RunState::finished));
  REQUIRE(archive.end_job(job.id, JobState::finished));
  return must(archive.candidate(ids[0])).hash;
}

}  // namespace

PretendedService::PretendedService() {
  jobs_["night"] = {{"name", "night"}, {"state", "finished"}, {"priority", 0}};
  thread_ = std::thread([this] { work(); });
}

PretendedService::~PretendedService() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void PretendedService::ask(ServiceRequest request, std::function<void(ServiceReply)> reply) {
  {
    const std::lock_guard lock(mutex_);
    ++asked_;
    waiting_.push_back({std::move(request), std::move(reply)});
  }
  changed_.notify_all();
}

void PretendedService::fall_silent(bool silent) {
  {
    const std::lock_guard lock(mutex_);
    silent_ = silent;
  }
  changed_.notify_all();
}

void PretendedService::begin_draining() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

int PretendedService::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void PretendedService::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || (!waiting_.empty() && !silent_); });
    if (waiting_.empty()) return;
    const Asked next = std::move(waiting_.front());
    waiting_.pop_front();
    ServiceReply reply = answer(next.request);
    lock.unlock();
    next.reply(std::move(reply));
    lock.lock();
  }
}

ServiceReply PretendedService::answer(const ServiceRequest& request) {
  switch (request.verb) {
    case ServiceVerb::status:
      return Json{{"version", "0"},           {"uptime_seconds", 1.5},
                  {"draining", draining_},    {"jobs", {{"running", 1}, {"finished", 1}}},
                  {"workers", {{"busy", 2}}}, {"requests_in_flight", 3}};
    case ServiceVerb::workers:
      return Json::parse(R"({"pools": [{"name": "local", "device": "cpu", "workers":
        [{"state": "ready", "in_flight": 3, "answered": 7, "losses": 0, "last_loss": ""}]}]})");
    case ServiceVerb::drain:
      draining_ = true;
      return Json{{"draining", true}};
    case ServiceVerb::reload:
      return Json{{"changed", Json::array()}, {"needs_restart", Json::array()}};
    case ServiceVerb::jobs: {
      Json list = Json::array();
      for (const auto& [name, job] : jobs_) list.push_back(job);
      return Json{{"jobs", list}};
    }
    case ServiceVerb::submit: {
      if (draining_) return tl::unexpected<ServiceError>(ServiceError{ServiceFailure::draining, "ending"});
      const std::string name = request.body.at("job").at("name").get<std::string>();
      jobs_[name] = {{"name", name}, {"state", "queued"}, {"priority", request.body.value("priority", 0)}};
      return jobs_[name];
    }
    default:
      return of_job(request);
  }
}

ServiceReply PretendedService::of_job(const ServiceRequest& request) {
  const auto refuse = [](ServiceFailure kind, std::string message) {
    return tl::unexpected<ServiceError>(ServiceError{kind, std::move(message)});
  };
  const auto found = jobs_.find(request.job);
  if (found == jobs_.end()) return refuse(ServiceFailure::not_found, fmt::format("no job '{}'", request.job));
  Json& job = found->second;
  if (request.verb == ServiceVerb::pause) {
    if (job["state"] == "finished") return refuse(ServiceFailure::conflict, "it has finished");
    job["state"] = "paused";
  }
  if (request.verb == ServiceVerb::resume) job["state"] = "queued";
  if (request.verb == ServiceVerb::cancel) job["state"] = "cancelled";
  if (request.verb == ServiceVerb::prioritise) job["priority"] = request.body.at("priority");
  return job;
}

ArchiveFolder::ArchiveFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "kevolve-http-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
  hash_ = fill(archive());
}

ArchiveFolder::~ArchiveFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RunningServer::RunningServer(http::HttpSettings settings, std::size_t event_capacity)
    : log(event_capacity),
      server(
          [&settings] {
            settings.port = 0;
            return settings;
          }(),
          service, log, folder.archive()) {
  const Result<void> started = server.start();
  if (!started) FAIL(started.error().message);
}

http::HttpSettings with_token(http::HttpLimits limits) {
  http::HttpSettings settings;
  settings.token = kToken;
  settings.limits = limits;
  return settings;
}

BareClient::BareClient(std::uint16_t port, int patience_ms)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), patience_ms_(patience_ms) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(socket_.valid());
  REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

bool BareClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (::poll(&writable, 1, patience_ms_) <= 0) return false;
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string BareClient::receive() {
  if (!buffer_.empty()) return std::exchange(buffer_, {});
  pollfd readable{socket_.get(), POLLIN, 0};
  if (::poll(&readable, 1, patience_ms_) <= 0) return {};
  std::string bytes(65536, '\0');
  const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

HttpReply BareClient::reply(bool head) {
  std::string text;
  while (text.find("\r\n\r\n") == std::string::npos) {
    const std::string more = receive();
    if (more.empty()) return {};
    text += more;
  }
  HttpReply reply;
  const std::size_t end = text.find("\r\n\r\n");
  reply.status = std::stoi(text.substr(9, 3));
  for (std::size_t at = text.find("\r\n") + 2; at < end;) {
    const std::size_t line_end = text.find("\r\n", at);
    const std::string line = text.substr(at, line_end - at);
    const std::size_t colon = line.find(": ");
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    reply.headers[name] = line.substr(colon + 2);
    at = line_end + 2;
  }
  const auto length = reply.headers.find("content-length");
  const std::size_t size = length == reply.headers.end() || head ? 0 : std::stoul(length->second);
  text.erase(0, end + 4);
  while (text.size() < size) {
    const std::string more = receive();
    if (more.empty()) break;
    text += more;
  }
  reply.body = text.substr(0, size);
  buffer_ = text.substr(std::min(size, text.size()));
  return reply;
}

std::string BareClient::rest() {
  std::string all;
  for (;;) {
    const std::string more = receive();
    if (more.empty()) return all;
    all += more;
  }
}

void BareClient::end_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

std::string request_head(std::string_view method, std::string_view target, std::string_view extra) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", method, target, extra);
}

std::string authorization(std::string_view token) {
  return fmt::format("Authorization: Bearer {}\r\n", token);
}

HttpReply ask(std::uint16_t port, std::string_view method, std::string_view target, std::string_view extra) {
  BareClient client(port);
  client.send(request_head(method, target, extra));
  return client.reply(method == "HEAD");
}

HttpReply tell(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body) {
  BareClient client(port);
  client.send(request_head(method, target,
                           fmt::format("{}Content-Type: application/json\r\nContent-Length: {}\r\n",
                                       authorization(), body.size())) +
              std::string(body));
  return client.reply();
}

}  // namespace kevolve::testing
