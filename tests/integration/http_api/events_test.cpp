// The stream of events: five hundred who follow, some who are slow, some who come back.

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <charconv>
#include <fstream>

#include "daemon/http/sse.hpp"
#include "tests/integration/http_api/fixture.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::testing;
using std::chrono::milliseconds;

namespace {

/// The number behind the dash of an id.
std::uint64_t number_of(const http::SseEvent& event) {
  return std::stoull(event.id.substr(event.id.find('-') + 1));
}

/// Follows events on a connection, and takes the chunks apart.
class Follower {
 public:
  Follower(std::uint16_t port, std::string_view target, std::string_view extra = "") : client_(port, 5000) {
    client_.send(request_head("GET", target, extra));
  }

  /// Reads until there are `wanted` events in all, or nothing comes any more.
  void read(std::size_t wanted) {
    while (events.size() < wanted && !ended) {
      const std::string bytes = client_.receive();
      if (bytes.empty()) break;
      take(bytes);
    }
  }
  /// What lies there already.
  void take(std::string_view bytes) {
    raw_ += bytes;
    if (!header_read_) {
      const std::size_t end = raw_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      CHECK(raw_.starts_with("HTTP/1.1 200 OK\r\n"));
      CHECK(raw_.find("Content-Type: text/event-stream\r\n") < end);
      raw_.erase(0, end + 4);
      header_read_ = true;
    }
    while (take_chunk()) {
    }
  }
  [[nodiscard]] int fd() const { return client_.fd(); }
  [[nodiscard]] const std::string& last_id() const { return reader_.last_id(); }

  bool keep = true;  ///< in `events`
  std::vector<http::SseEvent> events;
  std::uint64_t count = 0;
  bool contiguous = true;  ///< all so far were "evaluated", numbered from 1 without a gap
  bool ended = false;      ///< the last chunk came

 private:
  bool take_chunk() {
    const std::size_t line = raw_.find("\r\n");
    if (line == std::string::npos) return false;
    std::size_t size = 0;
    std::from_chars(raw_.data(), raw_.data() + line, size, 16);
    if (raw_.size() < line + 2 + size + 2) return false;
    ended = size == 0;
    reader_.feed(std::string_view(raw_).substr(line + 2, size), [this](const http::SseEvent& event) {
      ++count;
      if (keep) events.push_back(event);
      contiguous = contiguous && event.type == "evaluated" && number_of(event) == count;
      return true;
    });
    raw_.erase(0, line + 2 + size + 2);
    return !ended;
  }

  BareClient client_;
  std::string raw_;
  bool header_read_ = false;
  http::SseReader reader_;
};

void append(EventLog& log, int count, const std::string& job = "night") {
  for (int i = 0; i < count; ++i) log.append("evaluated", job, {{"candidate", i}, {"speedup", 1.5}});
}

void await_followers(const RunningServer& running, int count) {
  const std::string line = fmt::format("kevolve_event_followers {}\n", count);
  for (int i = 0; i < 500; ++i) {
    if (ask(running.server.port(), "GET", "/metrics").body.find(line) != std::string::npos) return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  FAIL("there are never " << count << " followers");
}

long status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  }
  return 0;
}

}  // namespace

TEST_CASE("five hundred followers each get all of a thousand events, in order") {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ::setrlimit(RLIMIT_NOFILE, &files);
  constexpr int kFollowers = 500, kEvents = 1000;
  RunningServer running(with_token());
  const long before_kb = status_line("VmRSS"), threads = status_line("Threads");
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < kFollowers; ++i) {
    followers.push_back(std::make_unique<Follower>(running.server.port(), "/v1/events"));
    followers.back()->keep = false;
  }
  await_followers(running, kFollowers);
  const long connected_kb = status_line("VmRSS");
  std::atomic<bool> answered_meanwhile = true;
  std::thread asker([&] {  // others are served while so much is written
    for (int i = 0; i < 20; ++i) {
      if (ask(running.server.port(), "GET", "/v1/status").status != 200) answered_meanwhile = false;
    }
  });
  std::thread appender([&] { append(running.log, kEvents); });
  std::vector<pollfd> polled;
  for (const auto& follower : followers) polled.push_back({follower->fd(), POLLIN, 0});
  const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  std::size_t complete = 0;
  std::string bytes(65536, '\0');
  while (complete < kFollowers && std::chrono::steady_clock::now() < patience) {
    if (::poll(polled.data(), polled.size(), 1000) <= 0) continue;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      const ssize_t got = ::recv(polled[i].fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got > 0) followers[i]->take({bytes.data(), static_cast<std::size_t>(got)});
      if (got <= 0 || followers[i]->count >= kEvents) {
        polled[i].fd = -1;
        ++complete;
      }
    }
  }
  appender.join();
  asker.join();
  CHECK(answered_meanwhile);
  std::size_t whole = 0, received = 0;
  for (const auto& follower : followers) {
    received += follower->count;
    whole += follower->contiguous && follower->count == kEvents ? 1 : 0;
  }
  CHECK(whole == kFollowers);
  CHECK(received == std::size_t{kFollowers} * kEvents);
  CHECK(status_line("Threads") == threads);  // not one for each
  WARN(fmt::format(
      "{} followers, {} events received; threads {} (the test's own included); resident memory of "
      "client and server {} kB before, {} kB with all connected, {} kB after all was written",
      kFollowers, received, threads, before_kb, connected_kb, status_line("VmRSS")));
}

TEST_CASE("who comes back with an id gets what followed it") {
  RunningServer running(with_token());
  const std::uint16_t port = running.server.port();
  append(running.log, 100);
  Follower by_header(port, "/v1/events", fmt::format("Last-Event-ID: {}\r\n", running.log.id(60)));
  by_header.read(40);
  REQUIRE(by_header.events.size() == 40);
  CHECK(number_of(by_header.events.front()) == 61);
  CHECK(number_of(by_header.events.back()) == 100);
  Follower by_parameter(port, "/v1/events?after=" + running.log.id(99));
  append(running.log, 1);
  by_parameter.read(2);
  REQUIRE(by_parameter.events.size() == 2);
  CHECK(number_of(by_parameter.events[0]) == 100);
  Follower from_the_oldest(port, "/v1/events?after=0");
  from_the_oldest.read(101);
  CHECK(from_the_oldest.events.size() == 101);
  const Json first = Json::parse(from_the_oldest.events.front().data);
  CHECK(first.at("type") == "evaluated");
  CHECK(first.at("job") == "night");
  CHECK(first.at("data").at("speedup") == 1.5);
  // The header counts before the parameter: a browser that comes back sends both.
  Follower both(port, "/v1/events?after=0", fmt::format("Last-Event-ID: {}\r\n", running.log.id(100)));
  both.read(1);
  REQUIRE(both.events.size() == 1);
  CHECK(number_of(both.events[0]) == 101);
}

TEST_CASE("a cut connection loses no event for who comes back") {
  RunningServer running(with_token());
  std::set<std::uint64_t> seen;
  std::string last;
  std::thread appender([&] {
    for (int i = 0; i < 40; ++i) {
      append(running.log, 25);
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  for (std::size_t part = 1; seen.size() < 1000 && part < 200; ++part) {
    Follower follower(running.server.port(), "/v1/events",
                      last.empty() ? "" : fmt::format("Last-Event-ID: {}\r\n", last));
    if (last.empty()) follower.read(1);
    follower.read(7 + part);
    if (seen.empty() && !follower.events.empty() && number_of(follower.events[0]) > 1) {
      for (std::uint64_t n = 1; n < number_of(follower.events[0]); ++n) seen.insert(n);  // before it followed
    }
    for (const http::SseEvent& event : follower.events) {
      CHECK(event.type == "evaluated");
      CHECK(seen.insert(number_of(event)).second);  // none twice
    }
    if (!follower.last_id().empty()) last = follower.last_id();
    if (last == running.log.id(1000)) break;
  }
  appender.join();
  CHECK(seen.size() == 1000);
}

TEST_CASE("ids of another life, and events that are gone, are told as a gap") {
  RunningServer running(with_token(), 50);
  const std::uint16_t port = running.server.port();
  append(running.log, 200);
  Follower late(port, "/v1/events?after=" + running.log.id(10));
  late.read(51);
  REQUIRE(late.events.size() == 51);
  CHECK(late.events[0].type == "gap");
  CHECK(Json::parse(late.events[0].data).at("reason") == "lost");
  CHECK(number_of(late.events[1]) == 151);
  for (const std::string& id : {std::string("00000000-7"), running.log.id(5000), std::string("nonsense")}) {
    Follower other(port, "/v1/events", fmt::format("Last-Event-ID: {}\r\n", id));
    other.read(51);
    REQUIRE(other.events.size() == 51);
    CHECK(other.events[0].type == "gap");
    CHECK(Json::parse(other.events[0].data).at("reason") == "other_life");
    CHECK(Json::parse(other.events[0].data).at("after") == id);
  }
}

TEST_CASE("one job's events can be followed alone, with those of the service") {
  RunningServer running(with_token());
  Follower follower(running.server.port(), "/v1/events?after=0&job=day");
  append(running.log, 5, "night");
  append(running.log, 1, "day");
  append(running.log, 1, "");
  follower.read(2);
  REQUIRE(follower.events.size() == 2);
  CHECK(number_of(follower.events[0]) == 6);
  CHECK(number_of(follower.events[1]) == 7);
}

TEST_CASE("a quiet stream is kept alive, and says where it is") {
  http::HttpLimits limits;
  limits.heartbeat = milliseconds(50);
  RunningServer running(with_token(limits));
  append(running.log, 3);
  BareClient client(running.server.port());
  client.send(request_head("GET", "/v1/events?job=other"));
  std::string text;
  while (text.find(": here\n") == std::string::npos) {
    const std::string more = client.receive();
    REQUIRE_FALSE(more.empty());
    text += more;
  }
  CHECK(text.find("id: " + running.log.id(3) + "\n") != std::string::npos);
}

TEST_CASE("a follower who does not read is dropped, and slows nobody") {
  http::HttpLimits limits;
  limits.write_time = milliseconds(500);
  RunningServer running(with_token(limits));
  const std::uint16_t port = running.server.port();
  Follower deaf(port, "/v1/events");
  Follower good(port, "/v1/events");
  await_followers(running, 2);
  const long before_kb = status_line("VmRSS");
  std::thread appender([&] {
    for (int i = 0; i < 4000; ++i) running.log.append("noted", "night", {{"text", std::string(4000, 'x')}});
  });
  good.read(4000);
  appender.join();
  CHECK(good.events.size() == 4000);
  await_followers(running, 1);
  WARN(fmt::format(
      "16 MB of events to a follower who does not read and one who does: resident memory {} kB before, "
      "{} kB after, of which the log keeps 16 MB and the one who reads 16 MB",
      before_kb, status_line("VmRSS")));
}

TEST_CASE("the end of the service comes after the last event") {
  RunningServer running(with_token());
  Follower follower(running.server.port(), "/v1/events");
  await_followers(running, 1);
  append(running.log, 3000);
  running.log.append("service_stopped", "", {});
  std::thread stopper([&] { running.server.stop(); });
  follower.read(4000);
  stopper.join();
  REQUIRE(follower.events.size() == 3001);
  CHECK(follower.events.back().type == "service_stopped");
  CHECK(follower.ended);
}

TEST_CASE("followers who vanish are noticed") {
  RunningServer running(with_token());
  {
    std::vector<std::unique_ptr<Follower>> followers;
    for (int i = 0; i < 50; ++i)
      followers.push_back(std::make_unique<Follower>(running.server.port(), "/v1/events"));
    await_followers(running, 50);
  }
  await_followers(running, 0);
  CHECK(ask(running.server.port(), "HEAD", "/v1/events").headers.at("content-type") == "text/event-stream");
}
