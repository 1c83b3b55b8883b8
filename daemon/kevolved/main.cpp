// kevolved: the service. One thread runs jobs, archive and signals; others belong to models' backends, to
// notifications and to the HTTP server. Starts in milliseconds: no LibTorch, no CUDA.

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "daemon/http/client.hpp"
#include "daemon/http/server.hpp"
#include "daemon/service/job_service.hpp"
#include "daemon/version.hpp"

namespace kevolve {
namespace {

namespace asio = boost::asio;

enum ExitCode : int { kOk = 0, kUsage = 2, kOperational = 3 };

int complain(const Error& error, ExitCode code) {
  fmt::print(stderr, "kevolved: {}\n", error.message);
  return code;
}

/// Keys leave the environment before the first thread starts. Without a models file there are none to take.
llm::TakenKeys take_model_keys(const service::DaemonSettings& settings) {
  const Result<llm::ModelsFile> models = llm::load_models(settings.models);
  if (!models) {
    fmt::print(stderr, "kevolved: warning: jobs that ask models will be refused: {}\n",
               models.error().message);
    return {};
  }
  return llm::TakenKeys::take(*models);
}

Result<archive::Archive> open_archive(const std::filesystem::path& file) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  if (error)
    return failure(fmt::format("cannot create the archive's folder {}: {}", file.parent_path().string(),
                               error.message()));
  archive::ArchiveOptions options;
  options.exclusive = true;
  return archive::Archive::open(file, archive::OpenMode::read_write, options);
}

/// SIGTERM and SIGINT drain, once more they stop now; SIGHUP reads the configuration again.
class Signals {
 public:
  Signals(asio::io_context& io, service::JobService& service)
      : set_(io, SIGTERM, SIGINT, SIGHUP), service_(service) {
    wait();
  }
  void cancel() { set_.cancel(); }

 private:
  void wait() {
    set_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        service_.ask({service::ServiceVerb::reload, "", Json::object()}, [](const service::ServiceReply&) {});
      } else if (service_.draining()) {
        service_.stop_now();
      } else {
        service_.drain();
      }
      wait();
    });
  }
  asio::signal_set set_;
  service::JobService& service_;
};

/// The HTTP API, and the file beside the archive that says where it is.
Result<std::unique_ptr<http::Server>> listen(const service::DaemonSettings& settings,
                                             service::Service& service, service::EventLog& events) {
  http::HttpSettings wanted{settings.http->address, settings.http->port};
  if (!settings.http->token_file.empty()) {
    Result<std::string> token = http::read_token(settings.http->token_file);
    if (!token) return failure(token.error());
    wanted.token = std::move(*token);
  }
  auto server = std::make_unique<http::Server>(wanted, service, events, settings.archive);
  if (auto started = server->start(); !started) return failure(started.error());
  // Those who ask from this machine come by its loopback, whatever the address is.
  const bool any = wanted.address == "0.0.0.0" || wanted.address == "::";
  const http::ServiceAddress address{any ? "127.0.0.1" : wanted.address, server->port(), "",
                                     settings.http->token_file};
  if (auto written = http::write_service_file(settings.archive, address); !written)
    return failure(written.error());
  fmt::print(stderr, "event=listening address={} port={}\n", wanted.address, server->port());
  return server;
}

int serve(const std::filesystem::path& config) {
  const auto load = [config] { return service::load_daemon_settings(config); };
  const Result<service::DaemonSettings> settings = load();
  if (!settings) return complain(settings.error(), kUsage);
  ::signal(SIGPIPE, SIG_IGN);  // a dead worker is noticed by its end of file
  llm::TakenKeys keys = take_model_keys(*settings);
  Result<archive::Archive> archive = open_archive(settings->archive);
  if (!archive) return complain(archive.error(), kOperational);
  service::EventLog events;
  asio::io_context io(1);
  const auto work = asio::make_work_guard(io);
  service::JobService service(
      {io, *archive, events, std::string(kVersion), std::move(keys), load, [&io] { io.stop(); }}, *settings);
  Signals signals(io, service);
  std::unique_ptr<http::Server> server;
  if (settings->http) {
    auto listening = listen(*settings, service, events);
    if (!listening) return complain(listening.error(), kOperational);
    server = std::move(*listening);
  }
  if (const Result<void> started = service.start(); !started) return complain(started.error(), kOperational);
  io.run();
  signals.cancel();
  if (server) {
    http::remove_service_file(settings->archive);
    server->stop();
  }
  return kOk;
}

int run_main(int argc, char** argv) {
  CLI::App app("kevolved runs jobs of kevolve over shared worker pools (docs/daemon.md).");
  app.name("kevolved");
  std::filesystem::path config;
  app.add_option("--config", config, "The configuration file")->required();
  app.set_version_flag("--version", std::string(kVersion));
  app.footer(
      "SIGTERM and SIGINT: what is under way ends, state is saved; once more: at once. SIGHUP: reads the "
      "configuration again.\n"
      "Exit codes: 0 drained; 2 the command line or the configuration is wrong; 3 this machine's fault.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return serve(config);
}

}  // namespace
}  // namespace kevolve

int main(int argc, char** argv) {
  return kevolve::run_main(argc, argv);
}
