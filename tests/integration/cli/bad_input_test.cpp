// Every mistake a user can make in a file gets a message that names it, and an exit code that is not 0.

#include "tests/integration/cli/fixture.hpp"

using namespace kevolve;
using namespace kevolve::process;
using namespace kevolve::testing;

TEST_CASE("a typo in a job file is named, with the key that was meant") {
  const Folder folder;
  const std::string job = folder.write("job.json", R"({ "name": "j", "operatros": ["gelu"] })");
  const CommandResult result = kevolve::testing::kevolve({"run", job, "--archive", folder.file("a.db")});
  CHECK(result.exit_code == 2);
  INFO(result.err);
  CHECK(holds(result.err, "job.json"));
  CHECK(holds(result.err, "operatros"));
  CHECK(holds(result.err, "did you mean 'operators'"));
  CHECK_FALSE(std::filesystem::exists(folder.file("a.db")));
}

TEST_CASE("a job file that is not JSON is answered with line and column") {
  const Folder folder;
  const std::string job =
      folder.write("job.json", "{\n  \"name\": \"j\",\n  \"operators\": [\"gelu\" \"sum\"]\n}\n");
  const CommandResult result = kevolve::testing::kevolve({"run", job, "--archive", folder.file("a.db")});
  CHECK(result.exit_code == 2);
  INFO(result.err);
  CHECK(holds(result.err, "line 3"));
}

TEST_CASE("a missing job file, operator or workload is named") {
  const Folder folder;
  const auto run = [&](const std::string& text) {
    return kevolve::testing::kevolve(
        {"run", folder.write("job.json", text), "--archive", folder.file("a.db")});
  };
  const CommandResult no_file = kevolve::testing::kevolve({"run", folder.file("absent.json")});
  CHECK(no_file.exit_code == 2);
  CHECK(holds(no_file.err, "absent.json"));
  const CommandResult no_operator = run(R"({ "name": "j", "operators": ["layernrom"] })");
  CHECK(no_operator.exit_code == 2);
  CHECK(holds(no_operator.err, "did you mean 'layernorm'"));
  const CommandResult no_workload =
      run(R"({ "name": "j", "operators": [{ "operator": "gelu", "workload": "huge" }] })");
  CHECK(no_workload.exit_code == 2);
  CHECK(holds(no_workload.err, "huge"));
}

TEST_CASE("a header with a bad expression is stopped at policy with field, value and expectation") {
  const Folder folder;
  const std::string file = folder.write(
      "bad.cu",
      R"(/*kevolve { "idea": "x", "launches": [ { "kernel": "k", "grid": ["N +* 2"], "block": [32],
        "args": ["x", "y"] } ] } */
__global__ void k(const float* x, float* y) {}
)");
  const CommandResult result =
      kevolve::testing::kevolve({"evaluate", file, "--operator", "gelu", "--gates", "policy"});
  INFO(result.out << result.err);
  CHECK(result.exit_code == 1);
  CHECK(holds(result.out, "policy_violation"));
  CHECK(holds(result.out, "launches[0].grid[0]"));
  CHECK(holds(result.out, "N +* 2"));
}

TEST_CASE("a source that does not compile is answered with the compiler's words and the line") {
  const Folder folder;
  const std::string file =
      folder.write("bad.cu",
                   "/*kevolve { \"idea\": \"x\", \"launches\": [ { \"kernel\": \"k\", \"grid\": [1], "
                   "\"block\": [32], \"args\": [\"x\", \"y\"] } ] } */\n"
                   "__global__ void k(const float* x, float* y) {\n  y[0] = undeclared_name;\n}\n");
  const CommandResult result = kevolve::testing::kevolve({"evaluate", file, "--operator", "gelu"});
  INFO(result.out << result.err);
  CHECK(result.exit_code == 1);
  CHECK(holds(result.out, "compile_error"));
  CHECK(holds(result.out, "candidate.cu:3"));
  CHECK(holds(result.out, "undeclared_name"));
}

TEST_CASE("wrong arguments of evaluate are named") {
  const Folder folder;
  const std::string naive = KEVOLVE_SOURCE_DIR "/kernels/seed/gelu/naive.cu";
  CHECK(
      kevolve::testing::kevolve({"evaluate", naive, "--operator", "gelu", "--gates", "timming"}).exit_code ==
      2);
  const CommandResult no_tunable =
      kevolve::testing::kevolve({"evaluate", naive, "--operator", "gelu", "--set", "BLOCKS=3"});
  CHECK(no_tunable.exit_code == 2);
  CHECK(holds(no_tunable.err, "BLOCKS"));
  const CommandResult no_device =
      kevolve::testing::kevolve({"evaluate", naive, "--operator", "gelu", "--device", "tpu"});
  CHECK(no_device.exit_code != 0);
  CHECK(holds(no_device.err, "tpu"));
  CHECK(kevolve::testing::kevolve({"evaluate"}).exit_code == 2);
  CHECK(kevolve::testing::kevolve({"frobnicate"}).exit_code == 2);
}

TEST_CASE("an archive that is absent, or no archive at all, is said to be so and left alone") {
  const Folder folder;
  CHECK(kevolve::testing::kevolve({"best", "gelu", "--archive", folder.file("absent.db")}).exit_code == 3);
  CHECK_FALSE(std::filesystem::exists(folder.file("absent.db")));
  const std::string text(5000, 'x');
  const std::string file = folder.write("notes.txt", text);
  const CommandResult result =
      kevolve::testing::kevolve({"run", folder.write("job.json", small_job()), "--archive", file});
  CHECK(result.exit_code == 3);
  CHECK(holds(result.err, "notes.txt"));
  CHECK(*read_text_file(file) == text);
}
