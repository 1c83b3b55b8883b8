#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>

#include "archive/connection.hpp"
#include "archive/schema.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string refusal(const fs::path& path, OpenMode mode = OpenMode::read_write) {
  return error_of(Archive::open(path, mode));
}

void make_database(const fs::path& path, const std::string& sql) {
  Connection connection(path, Connection::Access::read_write_create, std::chrono::seconds(1));
  connection.execute(sql);
}

/// `body`'s answer from a child process that is not root, to whom permissions apply.
template <class Body>
bool as_nobody(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::getuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0);
    ::_exit(dropped && body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a file that is not a database is refused and left as it was") {
  TemporaryFolder folder;
  for (const std::string& content :
       {std::string("hello"), std::string(10'000, 'x'), std::string("{\"job\": 1}\n")}) {
    const fs::path path = folder / "notes.txt";
    write_file(path, content);
    for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
      CHECK_THAT(refusal(path, mode),
                 ContainsSubstring("notes.txt") && ContainsSubstring("not a SQLite database"));
      CHECK(content_of(path) == content);
    }
  }
}

TEST_CASE("somebody else's database is refused and left as it was") {
  TemporaryFolder folder;
  const fs::path path = folder / "music.db";
  make_database(path, "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')");
  const std::string before = content_of(path);
  CHECK_THAT(refusal(path), ContainsSubstring("not a kevolve archive"));
  CHECK_THAT(refusal(path, OpenMode::read_only), ContainsSubstring("not a kevolve archive"));
  CHECK(content_of(path) == before);
}

TEST_CASE("an archive of a newer kevolve is refused and left as it was") {
  TemporaryFolder folder;
  const fs::path path = folder / "a.db";
  must(Archive::open(path, OpenMode::read_write));
  make_database(path, "PRAGMA user_version = 99");
  const std::string before = content_of(path);
  CHECK_THAT(refusal(path), ContainsSubstring("version 99") && ContainsSubstring("newer kevolve"));
  CHECK_THAT(refusal(path, OpenMode::read_only), ContainsSubstring("version 99"));
  CHECK(content_of(path) == before);
}

TEST_CASE("a reader neither makes an archive nor brings one up to date") {
  TemporaryFolder folder;
  CHECK_THAT(refusal(folder / "none.db", OpenMode::read_only), ContainsSubstring("no such file"));
  CHECK_FALSE(fs::exists(folder / "none.db"));
  write_file(folder / "empty.db", "");
  CHECK_THAT(refusal(folder / "empty.db", OpenMode::read_only), ContainsSubstring("older than this kevolve"));
  must(Archive::open(folder / "empty.db", OpenMode::read_write));
  must(Archive::open(folder / "empty.db", OpenMode::read_only));
}

TEST_CASE("a wrong place is named") {
  TemporaryFolder folder;
  CHECK_THAT(refusal(folder / "missing/a.db"), ContainsSubstring("does not exist"));
  CHECK_THAT(refusal(folder / "."), ContainsSubstring("folder"));
}

TEST_CASE("a missing permission is named") {
  TemporaryFolder folder;
  const fs::path path = folder / "a.db";
  must(Archive::open(path, OpenMode::read_write));
  ::chmod(folder.operator/("").c_str(), 0755);

  ::chmod(path.c_str(), 0444);
  CHECK(
      as_nobody([&] { return refusal(path).find("no permission to read and write") != std::string::npos; }));
  // The folder forbids the files that a reader needs beside the archive: the archive itself still answers.
  CHECK(as_nobody([&] { return Archive::open(path, OpenMode::read_only)->jobs().has_value(); }));
  ::chmod(path.c_str(), 0000);
  CHECK(as_nobody(
      [&] { return refusal(path, OpenMode::read_only).find("no permission to read") != std::string::npos; }));
}

TEST_CASE("a reader sees what is committed while the writer writes") {
  ArchiveFixture fixture;
  auto reader = must(Archive::open(fixture.folder / "a.db", OpenMode::read_only));
  CHECK(must(reader.candidates(fixture.round.id)).empty());
  {
    auto transaction = must(fixture.archive.begin());
    fixture.add("a");
    CHECK(must(reader.candidates(fixture.round.id)).empty());
    must(transaction.commit());
  }
  CHECK(must(reader.candidates(fixture.round.id)).size() == 1);
  CHECK_THAT(error_of(reader.end_job(fixture.job.id, JobState::finished)), ContainsSubstring("reading only"));
  CHECK_THAT(error_of(reader.begin()), ContainsSubstring("reading only"));
}

TEST_CASE("a transaction is all or nothing") {
  ArchiveFixture fixture;
  {
    auto transaction = must(fixture.archive.begin());
    fixture.add("a");
    CHECK_THAT(error_of(fixture.archive.begin()), ContainsSubstring("open already"));
  }
  CHECK(must(fixture.archive.candidates(fixture.round.id)).empty());

  auto transaction = must(fixture.archive.begin());
  fixture.add("b");
  CHECK_FALSE(
      fixture.archive.add_candidates(fixture.idea, {{"c", {}, {{CandidateId{999}, Relation::combines}}}}));
  fixture.add("d");
  must(transaction.commit());
  CHECK_THAT(error_of(transaction.commit()), ContainsSubstring("already"));
  // The failed operation left nothing; those around it stand.
  const auto candidates = must(fixture.archive.candidates(fixture.round.id));
  REQUIRE(candidates.size() == 2);
  CHECK(candidates[0].source == "b");
  CHECK(candidates[1].source == "d");
}

TEST_CASE("a second writer waits for its turn, then says who is in the way") {
  ArchiveFixture fixture;
  ArchiveOptions options;
  options.busy_timeout = std::chrono::milliseconds(20);
  auto second = must(Archive::open(fixture.folder / "a.db", OpenMode::read_write, options));
  auto transaction = must(fixture.archive.begin());
  CHECK_THAT(error_of(second.end_job(fixture.job.id, JobState::finished)), ContainsSubstring("locked"));
  must(transaction.commit());
  must(second.end_job(fixture.job.id, JobState::finished));
}
