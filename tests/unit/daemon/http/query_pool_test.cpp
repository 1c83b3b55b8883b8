#include "daemon/http/query_pool.hpp"

#include <unistd.h>

#include <future>

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::http;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "kevolve-pool-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    REQUIRE(Archive::open(path / "a.db", OpenMode::read_write));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path;
};

/// Counts to a number that it does not reach.
Answer endless(Archive& archive) {
  const auto rows = archive.select(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT max(i) "
      "FROM n",
      SqlLimits{10, std::chrono::hours(1)});
  return rows ? Answer{} : refusal_answer({500, "internal", rows.error().message});
}

struct Asked {
  std::promise<Answer> promise;
  std::future<Answer> answer = promise.get_future();
  QueryPool::Done done() {
    return [this](Answer a) { promise.set_value(std::move(a)); };
  }
};

}  // namespace

TEST_CASE("a question that takes too long is given up, and the next one answered") {
  const Folder folder;
  QueryPool pool(folder.path / "a.db", 1, 8);
  Asked slow, quick;
  REQUIRE(pool.ask(endless, Clock::now() + milliseconds(200), slow.done()));
  REQUIRE(pool.ask(
      [](Archive& a) {
        return Answer{200, a.info() ? "well" : "not"};
      },
      Clock::now() + std::chrono::seconds(30), quick.done()));
  REQUIRE(slow.answer.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK(slow.answer.get().status == 504);
  REQUIRE(quick.answer.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK(quick.answer.get().body == "well");
}

TEST_CASE("more questions than may wait are refused, and stopping waits for none") {
  const Folder folder;
  QueryPool pool(folder.path / "a.db", 1, 3);
  Asked first;
  const auto far = Clock::now() + std::chrono::hours(1);
  std::promise<void> begun;
  REQUIRE(pool.ask(
      [&begun](Archive& archive) {
        begun.set_value();
        return endless(archive);
      },
      far, first.done()));
  begun.get_future().wait();
  std::vector<Asked> waiting(3);
  for (Asked& one : waiting) CHECK(pool.ask(endless, far, one.done()));
  CHECK_FALSE(pool.ask(endless, far, [](const Answer&) { FAIL("it was refused"); }));
  pool.stop();
  CHECK(first.answer.get().status == 500);  // interrupted
  CHECK_FALSE(pool.ask(endless, far, [](const Answer&) { FAIL("it has stopped"); }));
}

TEST_CASE("an archive that comes later is found then") {
  const Folder folder;
  QueryPool pool(folder.path / "later.db", 1, 8);
  const auto soon = [] { return Clock::now() + std::chrono::seconds(30); };
  Asked before, after;
  REQUIRE(pool.ask([](Archive&) { return Answer{}; }, soon(), before.done()));
  CHECK(before.answer.get().status == 503);
  REQUIRE(Archive::open(folder.path / "later.db", OpenMode::read_write));
  REQUIRE(pool.ask([](Archive&) { return Answer{}; }, soon(), after.done()));
  CHECK(after.answer.get().status == 200);
}
