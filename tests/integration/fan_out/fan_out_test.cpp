// A fan-out over real processes: simulated workers, which die, hang and disagree on demand.

#include "core/worker/fan_out/fan_out.hpp"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "core/worker/fan_out/children.hpp"
#include "core/worker/fan_out/dealing.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace fan_out;
using namespace process;
namespace {

using Catch::Matchers::ContainsSubstring;
using std::chrono::milliseconds;

std::vector<std::string> simulated(const std::vector<std::string>& options = {}) {
  std::vector<std::string> command{KEVOLVE_BIN_DIR "/simulated-worker"};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

/// `shell`, a worker that begins otherwise; "$0" in it is the simulated worker.
std::vector<std::string> scripted(const std::string& shell) {
  return {"sh", "-c", shell, KEVOLVE_BIN_DIR "/simulated-worker"};
}

FanOutSettings among(const std::vector<std::vector<std::string>>& commands) {
  ::signal(SIGPIPE, SIG_IGN);
  FanOutSettings settings;
  settings.first_back_off = milliseconds(5);
  settings.longest_back_off = milliseconds(40);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    ChildPlan plan = children_alike(commands[i], 1).front();
    plan.mark = "process=" + std::to_string(i);
    settings.children.push_back(std::move(plan));
  }
  return settings;
}

std::string request(const std::string& id, int block = 1) {
  EvaluateRequest evaluate;
  evaluate.id = id;
  evaluate.operator_document = Json::object();
  evaluate.workload = "small";
  evaluate.source = "the source";
  evaluate.tunables = {{"BLOCK", block}};
  return to_line(WorkerRequest(evaluate)) + "\n";
}

std::string requests(int number) {
  std::string lines;
  for (int i = 0; i < number; ++i) lines += request(std::to_string(i), i);
  return lines;
}

/// A fan-out in a thread of its own, and the ends of its two pipes.
class Running {
 public:
  explicit Running(FanOutSettings settings) : settings_(std::move(settings)) {
    int in[2], out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    theirs_in_.reset(in[0]);
    in_.reset(in[1]);
    out_.reset(out[0]);
    theirs_out_.reset(out[1]);
    thread_ = std::thread([this] {
      result_ = fan_out::serve(settings_, theirs_in_.get(), theirs_out_.get());
      theirs_out_.reset();
    });
  }
  ~Running() {
    in_.reset();
    out_.reset();
    if (thread_.joinable()) thread_.join();
  }

  void write(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(in_.get(), text.data() + done, text.size() - done);
      REQUIRE(n > 0);
      done += static_cast<std::size_t>(n);
    }
  }
  void end_input() { in_.reset(); }
  void stop_reading() { out_.reset(); }

  std::optional<WorkerReply> read() {
    while (lines_.empty()) {
      std::vector<std::string> lines;
      if (incoming_.read_from(out_.get(), lines) == Incoming::Found::end) return std::nullopt;
      lines_.insert(lines_.end(), lines.begin(), lines.end());
    }
    auto reply = reply_from_line(lines_.front());
    lines_.erase(lines_.begin());
    if (!reply) FAIL(reply.error().message);
    return *reply;
  }
  Hello hello() {
    const auto reply = read();
    REQUIRE(reply);
    REQUIRE(std::holds_alternative<Hello>(*reply));
    return std::get<Hello>(*reply);
  }
  /// What each id was answered, until the end of the output.
  std::map<std::string, std::vector<WorkerReply>> rest() {
    std::map<std::string, std::vector<WorkerReply>> by_id;
    while (const auto reply = read()) {
      if (const auto* evaluation = std::get_if<EvaluationReply>(&*reply))
        by_id[evaluation->id].push_back(*reply);
      if (const auto* error = std::get_if<ErrorReply>(&*reply)) by_id[error->id].push_back(*reply);
    }
    return by_id;
  }
  Result<void> result() {
    thread_.join();
    return result_;
  }

 private:
  const FanOutSettings settings_;
  UniqueFd theirs_in_, in_, out_, theirs_out_;
  Incoming incoming_;
  std::vector<std::string> lines_;
  Result<void> result_ = failure("it has not ended");
  std::thread thread_;
};

/// All of `number` ids were answered once; the number of evaluations among the answers.
int evaluations(const std::map<std::string, std::vector<WorkerReply>>& replies, int number) {
  CHECK(replies.size() == static_cast<std::size_t>(number));
  int found = 0;
  for (const auto& [id, answers] : replies) {
    CAPTURE(id);
    CHECK(answers.size() == 1);
    found += std::holds_alternative<EvaluationReply>(answers.front());
  }
  return found;
}

std::string in_file(const std::filesystem::path& file) {
  return read_text_file(file).value_or("");
}

/// A file of the test's own that does not exist.
std::filesystem::path new_file(const std::string& name) {
  const auto file = std::filesystem::temp_directory_path() / (name + "-" + std::to_string(::getpid()));
  std::filesystem::remove(file);
  return file;
}

/// A worker that writes a line to `file` for each that it is asked.
std::vector<std::string> counted(const std::filesystem::path& file) {
  return scripted("tee -a " + file.string() + " | \"$0\" --delay-ms 2");
}

TEST_CASE("several processes say one hello and share the work; all is answered once, and that is the end") {
  const auto first = new_file("fan-out-first"), second = new_file("fan-out-second");
  Running running(among({counted(first), counted(second)}));
  CHECK(running.hello().parallel == 2);
  running.write(requests(200));
  running.end_input();
  CHECK(evaluations(running.rest(), 200) == 200);
  const auto result = running.result();
  if (!result) FAIL(result.error().message);
  const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const auto a = lines(in_file(first)), b = lines(in_file(second));
  CHECK(a + b == 200);
  CHECK(a > 40);  // equally fast: half each, but for the machine's moods
  CHECK(b > 40);
  std::filesystem::remove(first);
  std::filesystem::remove(second);
}

TEST_CASE("a faster process gets more of the work") {
  const auto slow = new_file("fan-out-slow");
  Running running(among({simulated(), scripted("tee -a " + slow.string() + " | \"$0\" --delay-ms 20")}));
  running.hello();
  running.write(requests(300));
  running.end_input();
  CHECK(evaluations(running.rest(), 300) == 300);
  const std::string text = in_file(slow);
  CHECK(std::count(text.begin(), text.end(), '\n') < 150);
  std::filesystem::remove(slow);
}

TEST_CASE("lines that are no requests are answered with their id, blank ones are not") {
  Running running(among({simulated()}));
  CHECK(running.hello().parallel == 1);
  running.write("{\"type\": \"evaluate\", \"id\": \"half\"}\n\n  \nnot json\n" + request("whole"));
  running.end_input();
  const auto replies = running.rest();
  REQUIRE(replies.size() == 3);
  CHECK(std::holds_alternative<ErrorReply>(replies.at("half").at(0)));
  CHECK(std::holds_alternative<ErrorReply>(replies.at("").at(0)));
  CHECK(std::holds_alternative<EvaluationReply>(replies.at("whole").at(0)));
  CHECK(running.result());
}

TEST_CASE("the last line counts without its end") {
  Running running(among({simulated()}));
  running.hello();
  std::string line = request("last");
  line.pop_back();
  running.write(line);
  running.end_input();
  CHECK(evaluations(running.rest(), 1) == 1);
  CHECK(running.result());
}

TEST_CASE("an input that is empty ends it after its hello") {
  Running running(among({simulated(), simulated()}));
  running.end_input();
  CHECK(running.hello().parallel == 2);
  CHECK(running.rest().empty());
  CHECK(running.result());
}

TEST_CASE("what a process had when it was killed is answered by others or by its successor") {
  const auto pid_file = new_file("fan-out-pid");
  Running running(among({scripted("echo $$ > " + pid_file.string() + "; exec \"$0\" --delay-ms 5"),
                         simulated({"--delay-ms", "5"})}));
  running.hello();
  running.write(requests(120));
  for (int i = 0; i < 5; ++i) REQUIRE(running.read());
  const std::string first_pid = in_file(pid_file);
  REQUIRE(::kill(std::stoi(first_pid), SIGKILL) == 0);
  running.end_input();
  auto replies = running.rest();
  CHECK(evaluations(replies, 115) == 115);
  CHECK(running.result());
  CHECK(in_file(pid_file) != first_pid);  // it was started again
  std::filesystem::remove(pid_file);
}

TEST_CASE("processes that die now and then lose nothing") {
  Running running(among({simulated({"--crash", "0.03", "--seed", "7"}), simulated({"--crash", "0.03"}),
                         simulated({"--garbage", "0.03"})}));
  running.hello();
  running.write(requests(200));
  running.end_input();
  const auto replies = running.rest();
  CHECK(evaluations(replies, 200) > 150);
  const auto result = running.result();
  if (!result) FAIL(result.error().message);
}

TEST_CASE("a request that processes die of is answered with an error that names it, the others are judged") {
  Running running(among({simulated({"--poison", "poison"}), simulated({"--poison", "poison"})}));
  running.hello();
  running.write(requests(10) + request("poison"));
  running.end_input();
  const auto replies = running.rest();
  CHECK(evaluations(replies, 11) == 10);
  const auto* error = std::get_if<ErrorReply>(&replies.at("poison").front());
  REQUIRE(error != nullptr);
  CHECK_THAT(error->message, ContainsSubstring("worker processes ended while they worked on it"));
  CHECK(running.result());
}

TEST_CASE("a process that hangs is ended, and what it had is answered") {
  const auto hung = new_file("fan-out-hung");
  FanOutSettings settings = among({scripted("[ -e " + hung.string() + " ] && exec \"$0\"; : > " +
                                            hung.string() + "; exec \"$0\" --hang 1"),
                                   simulated()});
  settings.reply_patience = milliseconds(200);
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    Json line = Json::parse(request(std::to_string(i), i));
    line["timing"]["max_seconds"] = 0.1;
    lines += line.dump() + "\n";
  }
  Running running(settings);
  running.hello();
  running.write(lines);
  running.end_input();
  CHECK(evaluations(running.rest(), 20) == 20);
  CHECK(running.result());
  std::filesystem::remove(hung);
}

TEST_CASE("a process that cannot start is left out, and tried again") {
  const auto mended = new_file("fan-out-mended");
  Running running(among({scripted("[ -e " + mended.string() + " ] || exit 3; exec \"$0\" --delay-ms 1"),
                         simulated({"--delay-ms", "1"})}));
  CHECK(running.hello().parallel == 1);
  running.write(requests(50));
  std::ofstream(mended) << "now";
  running.end_input();
  CHECK(evaluations(running.rest(), 50) == 50);
  CHECK(running.result());
  std::filesystem::remove(mended);
}

TEST_CASE("a process that says nothing is given up when another has said its hello") {
  FanOutSettings settings = among({simulated(), {"sleep", "600"}});
  settings.start_patience = milliseconds(50);
  Running running(settings);
  CHECK(running.hello().parallel == 1);
  running.write(requests(5));
  running.end_input();
  CHECK(evaluations(running.rest(), 5) == 5);
  CHECK(running.result());
}

TEST_CASE("where no process starts, the reasons are given") {
  Running running(among({simulated({"--never-start"}), {"/no/such/program"}}));
  CHECK_FALSE(running.read());
  const auto result = running.result();
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, ContainsSubstring("no worker process started:"));
  CHECK_THAT(result.error().message, ContainsSubstring("process=0: it ended unexpectedly (exit code 1)"));
  CHECK_THAT(result.error().message, ContainsSubstring("process=1: cannot run '/no/such/program'"));
}

TEST_CASE("processes that never work any more end it") {
  Running running(among({simulated({"--crash", "1"}), simulated({"--crash", "1"})}));
  running.hello();
  running.write(requests(100));
  running.rest();
  const auto result = running.result();
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, ContainsSubstring("no worker process works any more:"));
}

TEST_CASE("processes that differ in device or version are refused") {
  for (const auto& other : {simulated({"--model", "another"}), simulated({"--worker-version", "another"})}) {
    Running running(among({simulated(), other}));
    CHECK_FALSE(running.read());
    const auto result = running.result();
    REQUIRE_FALSE(result);
    CHECK_THAT(result.error().message, ContainsSubstring("worker processes disagree"));
  }
}

TEST_CASE("a process that comes back with another device is left out") {
  const auto before = new_file("fan-out-before");
  Running running(among({scripted("[ -e " + before.string() + " ] && exec \"$0\" --model another; : > " +
                                  before.string() + "; exec \"$0\" --crash 1"),
                         simulated()}));
  CHECK(running.hello().parallel == 2);
  running.write(requests(30));
  running.end_input();
  for (const auto& [id, answers] : running.rest()) {
    CAPTURE(id);
    REQUIRE(answers.size() == 1);
    const auto* evaluation = std::get_if<EvaluationReply>(&answers.front());
    REQUIRE(evaluation != nullptr);
    CHECK(evaluation->evaluation.device.model == "simulated");
  }
  CHECK(running.result());
  std::filesystem::remove(before);
}

TEST_CASE("when nobody reads the replies it ends, and its processes with it") {
  const auto pid_file = new_file("fan-out-unread");
  Running running(among({scripted("echo $$ > " + pid_file.string() + "; exec \"$0\" --delay-ms 100000")}));
  running.hello();
  running.write(requests(3));
  const int pid = std::stoi(in_file(pid_file));
  CHECK(::kill(pid, 0) == 0);
  running.stop_reading();
  const auto result = running.result();
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, ContainsSubstring("nobody reads the replies"));
  CHECK(::kill(pid, 0) != 0);
  std::filesystem::remove(pid_file);
}

}  // namespace
}  // namespace kevolve
