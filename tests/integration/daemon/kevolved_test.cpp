// The program: signals, kills, its archive.

#include <signal.h>
#include <sys/wait.h>

#include <random>

#include "core/process/child.hpp"
#include "tests/integration/daemon/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

const std::string kDaemon = KEVOLVE_BIN_DIR "/kevolved";

/// A job in the queue of an archive that no service has open.
void enqueue(const Folder& folder, const Json& document) {
  auto archive = Archive::open(folder.file("a.db"), OpenMode::read_write);
  REQUIRE(archive);
  const auto job = parse_job(document, "job");
  REQUIRE(job);
  REQUIRE(archive->submit_job(job->name, to_json(*job), std::nullopt));
}

class Daemon {
 public:
  Daemon(const Folder& folder, const Json& config) : log_(folder.file("log")) {
    (void)folder.write("kevolved.json", config.dump());
    pid_ = ::fork();
    if (pid_ == 0) {
      if (std::freopen(log_.c_str(), "a", stderr) == nullptr) ::_exit(9);
      ::execl(kDaemon.c_str(), kDaemon.c_str(), "--config", folder.file("kevolved.json").c_str(), nullptr);
      ::_exit(9);
    }
  }
  ~Daemon() {
    if (pid_ > 0) {
      send(SIGKILL);
      wait();
    }
  }
  void send(int signal) const { ::kill(pid_, signal); }
  /// Exit code, or 128 + signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }
  [[nodiscard]] std::string log() const { return read_text_file(log_).value_or(""); }
  void wait_for(const std::string& part) const {
    for (int i = 0; i < 3000 && !holds(log(), part); ++i) {
      if (ended()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    INFO(log());
    REQUIRE(holds(log(), part));
  }

 private:
  std::string log_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("the service is not linked to LibTorch or CUDA") {
  const CommandResult libraries = shell("ldd " + kDaemon);
  CHECK(holds(libraries.out, "libsqlite3"));
  CHECK_FALSE(holds(libraries.out, "torch"));
  CHECK_FALSE(holds(libraries.out, "cuda"));
}

TEST_CASE("SIGTERM lets what is under way end, SIGHUP reads the configuration again") {
  const Folder folder;
  enqueue(folder, sim_job("night"));
  Daemon daemon(folder, daemon_config({"--delay-ms", "20"}));
  daemon.wait_for("event=evaluated job=night");
  (void)folder.write("kevolved.json", daemon_config({"--delay-ms", "20"}, 1, 5).dump());
  daemon.send(SIGHUP);
  daemon.wait_for("event=reloaded changed=[\"max_running\"]");
  daemon.send(SIGTERM);
  CHECK(daemon.wait() == 0);
  CHECK(holds(daemon.log(), "event=draining"));
  CHECK(holds(daemon.log(), "event=service_ended"));
  CHECK(job_in(folder.file("a.db"), "night").state == JobState::queued);
  Daemon again(folder, daemon_config({}));
  again.wait_for("event=job_ended job=night state=finished");
  again.send(SIGINT);
  CHECK(again.wait() == 0);
  CHECK(verified(folder.file("a.db")).size() > 20);
}

TEST_CASE("a second SIGTERM waits for nothing") {
  const Folder folder;
  enqueue(folder, sim_job("night"));
  Daemon daemon(folder, daemon_config({"--delay-ms", "20000"}));
  daemon.wait_for("event=worker_started");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  daemon.send(SIGTERM);
  daemon.wait_for("event=draining");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK_FALSE(daemon.ended());  // the worker's first evaluation is under way
  daemon.send(SIGTERM);
  CHECK(daemon.wait() == 0);
  CHECK(job_in(folder.file("a.db"), "night").state == JobState::queued);
}

TEST_CASE("the time that draining may take is limited") {
  const Folder folder;
  enqueue(folder, sim_job("night"));
  Json config = daemon_config({"--delay-ms", "20000"});
  config["drain_seconds"] = 1;
  Daemon daemon(folder, config);
  daemon.wait_for("event=worker_started");
  daemon.send(SIGTERM);
  CHECK(daemon.wait() == 0);
}

TEST_CASE("a service that is killed again and again comes to the kernels of an undisturbed one") {
  const Folder undisturbed, folder;
  const Json job = sim_job("night", 4, {"gelu", "softmax", "layernorm"});
  {
    enqueue(undisturbed, job);
    Daemon daemon(undisturbed, daemon_config({}));
    daemon.wait_for("event=job_ended job=night state=finished");
    daemon.send(SIGTERM);
    CHECK(daemon.wait() == 0);
  }
  enqueue(folder, job);
  std::mt19937 random(7);
  int kills = 0;
  for (bool finished = false; !finished && kills < 60; ++kills) {
    Daemon daemon(folder, daemon_config({"--delay-ms", "4", "--crash", "0.02"}));
    // Longer from life to life: on a busy machine the shortest ones do not even reach the first evaluation.
    const auto patience =
        std::chrono::milliseconds(std::uniform_int_distribution<int>(20, 300 + 40 * kills)(random));
    const auto due = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < due) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    finished = holds(daemon.log(), "event=job_ended job=night state=finished");
    daemon.send(SIGKILL);
    daemon.wait();
    verified(folder.file("a.db"));  // sound
  }
  CHECK(kills >= 3);
  CHECK(kills < 60);
  CHECK(verified(folder.file("a.db")) == verified(undisturbed.file("a.db")));
  auto archive = Archive::open(folder.file("a.db"), OpenMode::read_only);
  REQUIRE(archive);
  const auto twice = archive->select(
      "SELECT count(*) FROM (SELECT candidate FROM evaluations WHERE purpose = 'search' "
      "GROUP BY candidate HAVING count(*) > 1)",
      {});
  REQUIRE(twice);
  CHECK(twice->rows.front().front() == 0);  // nothing was judged a second time
}

TEST_CASE("a service has its archive for itself, and says what is wrong with its configuration") {
  const Folder folder;
  const std::string job = folder.write("job.json", sim_job("other", 1).dump());
  {
    Daemon daemon(folder, daemon_config({}));
    daemon.wait_for("event=service_started");
    const CommandResult run = kevolve::testing::kevolve({"run", job, "--archive", folder.file("a.db")});
    CHECK(run.exit_code == 3);
    CHECK(holds(run.err, "kevolved (process"));
    const CommandResult second = shell(kDaemon + " --config " + folder.file("kevolved.json"));
    CHECK(second.exit_code == 3);
    CHECK(holds(second.err, "another program has it open"));
    const CommandResult read =
        kevolve::testing::kevolve({"archive", "check", "--archive", folder.file("a.db")});
    CHECK(read.exit_code == 0);
  }
  const std::string wrong = folder.write("wrong.json", R"({ "max_runing": 3 })");
  const CommandResult refused = shell(kDaemon + " --config " + wrong);
  CHECK(refused.exit_code == 2);
  CHECK(holds(refused.err, "did you mean 'max_running'"));
}
