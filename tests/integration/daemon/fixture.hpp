#pragma once
// A JobService in a thread of its own, with simulated workers, asked as the HTTP layer asks it.

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <future>
#include <thread>

#include "daemon/service/job_service.hpp"
#include "tests/integration/cli/fixture.hpp"

namespace kevolve::testing {

inline Json simulated_launcher(const std::vector<std::string>& options) {
  Json words = Json::array({KEVOLVE_BIN_DIR "/simulated-worker"});
  for (const std::string& option : options) words.push_back(option);
  words.push_back("--");
  return words;
}

/// A configuration with one pool of simulated workers in `folder`.
inline Json daemon_config(const std::vector<std::string>& worker_options, int workers = 1,
                          int max_running = 2) {
  return {{"archive", "a.db"},
          {"max_running", max_running},
          {"pools",
           {{{"name", "sim"},
             {"device", "cpu"},
             {"workers", workers},
             {"launcher", simulated_launcher(worker_options)}}}}};
}

inline Json sim_job(const std::string& name, int rounds = 3, const Json& operators = {"gelu", "softmax"}) {
  return {{"name", name},
          {"operators", operators},
          {"policy", {{"rounds", rounds}, {"plateau_rounds", 50}}},
          {"timing", {{"min_samples", 3}, {"max_samples", 5}}}};
}

class RunningService {
 public:
  RunningService(const Folder& folder, const Json& config) : folder_(folder) {
    ::signal(SIGPIPE, SIG_IGN);  // as kevolved does: workers may end while they are written to
    configure(config);
    std::promise<bool> ready;
    thread_ = std::thread([this, &ready] { serve(ready); });
    REQUIRE(ready.get_future().get());
  }
  ~RunningService() {
    if (thread_.joinable()) {
      boost::asio::post(io_, [this] { service_->stop_now(); });
      thread_.join();
    }
  }

  void configure(const Json& config) const { (void)folder_.write("kevolved.json", config.dump()); }

  service::ServiceReply ask(service::ServiceVerb verb, const std::string& job = "",
                            Json body = Json::object()) {
    std::promise<service::ServiceReply> promise;
    service_->ask({verb, job, std::move(body)},
                  [&](service::ServiceReply reply) { promise.set_value(std::move(reply)); });
    auto future = promise.get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    return future.get();
  }
  Json must(service::ServiceVerb verb, const std::string& job = "", Json body = Json::object()) {
    const service::ServiceReply reply = ask(verb, job, std::move(body));
    if (!reply) FAIL(reply.error().message);
    return *reply;
  }
  Json submit(const Json& job, std::optional<int> priority = std::nullopt) {
    Json body{{"job", job}};
    if (priority) body["priority"] = *priority;
    return must(service::ServiceVerb::submit, "", std::move(body));
  }
  /// The first event of that type and job behind `number`; waits for it.
  service::Event wait_for(const std::string& type, const std::string& job = "", std::uint64_t behind = 0) {
    for (int i = 0; i < 3000; ++i) {
      for (const auto& event : events_.after(behind, 100'000).events) {
        if (event->type == type && event->job == job) return *event;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("no event " << type << " of job '" << job << "' within 30 s");
    return {};
  }
  [[nodiscard]] int count(const std::string& type, const std::string& job) const {
    int found = 0;
    for (const auto& event : events_.after(0, 100'000).events)
      found += event->type == type && event->job == job;
    return found;
  }
  service::EventLog& events() { return events_; }
  /// Waits until the service has ended by itself.
  void join() { thread_.join(); }

 private:
  void serve(std::promise<bool>& ready) {
    const auto load = [this] { return service::load_daemon_settings(folder_.file("kevolved.json")); };
    const auto settings = load();
    if (!settings) {
      WARN(settings.error().message);
      ready.set_value(false);
      return;
    }
    archive::ArchiveOptions options;
    options.exclusive = true;
    auto archive = archive::Archive::open(settings->archive, archive::OpenMode::read_write, options);
    if (!archive) {
      WARN(archive.error().message);
      ready.set_value(false);
      return;
    }
    const auto work = boost::asio::make_work_guard(io_);
    service_.emplace(
        service::JobService::Parts{io_, *archive, events_, "test", {}, load, [this] { io_.stop(); }},
        *settings);
    const bool started = service_->start().has_value();
    ready.set_value(started);
    io_.run();
    service_.reset();
  }

  const Folder& folder_;
  service::EventLog events_;
  boost::asio::io_context io_{1};
  std::optional<service::JobService> service_;
  std::thread thread_;
};

/// What the search came to: verified candidates of the archive, by hash.
inline std::set<std::string> verified(const std::string& archive_file) {
  auto archive = archive::Archive::open(archive_file, archive::OpenMode::read_only);
  if (!archive) FAIL(archive.error().message);
  const auto sound = archive->check();
  if (!sound) FAIL(sound.error().message);
  const auto table = archive->select(
      "SELECT DISTINCT c.candidate_hash FROM candidates c JOIN evaluations e ON e.id = c.evaluation "
      "WHERE e.outcome = 'passed' AND e.gate IN ('timing', 'profile')",
      {});
  REQUIRE(table);
  std::set<std::string> hashes;
  for (const auto& row : table->rows) hashes.insert(row.front().get<std::string>());
  return hashes;
}

inline archive::JobRecord job_in(const std::string& archive_file, const std::string& name) {
  auto archive = archive::Archive::open(archive_file, archive::OpenMode::read_only);
  REQUIRE(archive);
  const auto job = archive->job(name);
  REQUIRE(job);
  REQUIRE(*job);
  return **job;
}

}  // namespace kevolve::testing
