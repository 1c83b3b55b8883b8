// kevolve events: what happens in the running kevolved, one line an event.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/service_link.hpp"
#include "daemon/http/target.hpp"

namespace kevolve::cli {
namespace {

struct EventsOptions : ServiceOptions {
  std::string job, after;
  bool follow = false;
};

/// "2026-01-31T22:00:00.000Z evaluated job=night operator=gelu …"; --json: the event as it came, with its id.
void print_event(const http::SseEvent& event, bool json) {
  Json data = Json::parse(event.data, nullptr, false);
  if (json) {
    fmt::print("{}\n", Json{{"id", event.id}, {"event", event.type}, {"data", std::move(data)}}.dump(
                           -1, ' ', false, Json::error_handler_t::replace));
  } else {
    std::string line = text_of(data, "at");
    line += fmt::format("{}{}", line.empty() ? "" : " ", event.type);
    if (const std::string job = text_of(data, "job"); !job.empty()) line += " job=" + job;
    const Json& fields = data.is_object() && data.contains("data") ? data["data"] : data;
    if (fields.is_object()) {
      for (const auto& [key, value] : fields.items())
        line += fmt::format(" {}={}", key, value.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    fmt::print("{}\n", line);
  }
  std::fflush(stdout);
}

std::string path_of(const EventsOptions& options, bool from_the_oldest) {
  std::string path = "/v1/events?";
  if (!options.follow) path += "follow=0&";
  if (!options.job.empty()) path += "job=" + percent_encoded(options.job) + "&";
  if (from_the_oldest) path += "after=0&";
  path.pop_back();
  return path;
}

/// Comes back where a connection was cut, until the service itself ends the stream.
int events(const EventsOptions& options) {
  constexpr std::chrono::seconds kLongestPause{30};
  std::chrono::seconds pause{1};
  std::string last = options.after;
  bool connected = false;
  const http::SseReader::Callback each = [&](const http::SseEvent& event) {
    connected = true;
    pause = std::chrono::seconds(1);
    if (!event.id.empty()) last = event.id;
    print_event(event, options.json);
    return true;
  };
  for (;;) {
    Result<http::Client> client = require_service(options);  // it may have come back at another address
    if (!client) return complain(client.error(), kOperational);
    const auto ended = client->follow(path_of(options, last.empty() && !options.follow), last, each);
    if (ended) return kOk;
    if (ended.error().status != 0 || !options.follow || !connected) return complain(ended.error());
    fmt::print(stderr, "kevolve: {}; trying again in {} s\n", ended.error().message, pause.count());
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace

Command add_events(CLI::App& app) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* sub = app.add_subcommand("events", "What happened in the running kevolved, one line an event");
  sub->add_flag("--follow,-f", options->follow,
                "What happens from now on, until Ctrl-C or until the service ends");
  sub->add_option("--job", options->job, "Only of this job and of the service itself");
  sub->add_option("--after", options->after, "Only what followed the event of this id");
  add_service_options(*sub, *options);
  return [options] { return events(*options); };
}

}  // namespace kevolve::cli
