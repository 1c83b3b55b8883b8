// A machine that dies in the middle of a write: its journal cut off or damaged anywhere. What is opened
// afterwards is the archive as it was after some whole transaction: after the last that lies wholly in the
// sound beginning of the journal.

#include <fstream>
#include <random>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::string digest(Archive& archive) {
  std::string all;
  must(archive.export_lines([&](std::string_view line) {
    all += line;
    return true;
  }));
  return sha256_hex(all);
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// An archive at a known point: nine transactions in the journal, each told by the journal's size after it
/// and by what the archive held then, and a tenth that was never committed.
struct Crashed {
  TemporaryFolder folder;
  std::string file, journal, index;   ///< the bytes of all three
  std::vector<std::uintmax_t> sizes;  ///< of the journal, after each transaction; [0] before the first
  std::vector<std::string> digests;   ///< of the archive, likewise

  Crashed() {
    const fs::path path = folder / "a.db";
    OperatorId op;
    IdeaId idea;
    {
      auto archive = must(Archive::open(path, OpenMode::read_write));
      op = must(archive.enter_operator(make_operator("layernorm")));
      idea = must(archive.add_idea({op, std::nullopt, "manual", "k", "An idea."}));
      (void)must(archive.enter_device(make_device()));
    }  // closing empties the journal into the file
    auto archive = must(Archive::open(path, OpenMode::read_write));
    const auto remember = [&] {
      const fs::path wal = path.string() + "-wal";
      sizes.push_back(fs::exists(wal) ? fs::file_size(wal) : 0);
      digests.push_back(digest(archive));
    };
    remember();
    CandidateId candidate;
    for (int i = 0; i < 9; ++i) {
      if (i % 2 == 0) {
        candidate = must(archive.add_candidates(
                             idea, {{std::string(6000, static_cast<char>('a' + i)), {{"I", i}}, {}}}))
                        .at(0);
      } else {
        must(archive.record_evaluation({candidate, std::nullopt, "small", PrecisionClass::strict_fp32,
                                        "naive", Purpose::manual, passed(i)}));
      }
      remember();
    }
    auto unfinished = must(archive.begin());
    (void)must(archive.begin_job("half", {}));
    (void)must(archive.add_candidates(idea, {{"never committed", {}, {}}}));
    file = bytes_of(path);
    journal = bytes_of(path.string() + "-wal");
    index = bytes_of(path.string() + "-shm");
  }

  /// The files as a crash left them, opened: the number of whole transactions that it holds.
  std::size_t transactions(const std::string& wal, const std::string& shm,
                           OpenMode mode = OpenMode::read_write) const {
    const fs::path path = folder / "copy.db";
    put(path, file);
    put(path.string() + "-wal", wal);
    put(path.string() + "-shm", shm);
    auto archive = must(Archive::open(path, mode));
    must(archive.check());
    const std::string found = digest(archive);
    const auto known = std::find(digests.begin(), digests.end(), found);
    REQUIRE(known != digests.end());  // else a transaction is torn
    return static_cast<std::size_t>(known - digests.begin());
  }
  /// How many end before that byte of the journal.
  std::size_t before(std::uintmax_t byte) const {
    return static_cast<std::size_t>(std::upper_bound(sizes.begin() + 1, sizes.end(), byte) - sizes.begin()) -
           1;
  }
};

}  // namespace

TEST_CASE("a journal cut off at any byte holds the transactions that lie before it, whole") {
  const Crashed crashed;
  REQUIRE(crashed.sizes.back() > 60'000);
  std::mt19937_64 random(20260131);
  std::vector<std::size_t> cuts = {0, 1, 31, 32, 33, 55, 56, crashed.journal.size()};
  for (const std::uintmax_t size : crashed.sizes) {  // just at, before and behind every commit
    for (const int step : {-1, 0, 1}) {
      const auto cut = static_cast<std::int64_t>(size) + step;
      if (cut >= 0 && cut <= static_cast<std::int64_t>(crashed.journal.size()))
        cuts.push_back(static_cast<std::size_t>(cut));
    }
  }
  for (int i = 0; i < 200; ++i) cuts.push_back(random() % crashed.journal.size());
  for (const std::size_t cut : cuts) {
    INFO("cut at byte " << cut << " of " << crashed.journal.size());
    CHECK(crashed.transactions(crashed.journal.substr(0, cut), crashed.index) == crashed.before(cut));
  }
}

TEST_CASE("a damaged journal holds the transactions before the damage, whole") {
  const Crashed crashed;
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string wal = crashed.journal;
    const std::size_t at = random() % crashed.sizes.back();
    const std::size_t length = std::min<std::size_t>(1 + (i % 3 == 0 ? random() % 5000 : 0), wal.size() - at);
    std::size_t first = wal.size();
    for (std::size_t j = at; j < at + length; ++j) {
      const char noise =
          length == 1 ? static_cast<char>(wal[j] ^ (1 << random() % 8)) : static_cast<char>(random());
      if (noise != wal[j]) first = std::min(first, j);
      wal[j] = noise;
    }
    INFO(length << " bytes at " << at << " of " << wal.size());
    CHECK(crashed.transactions(wal, crashed.index) == crashed.before(first));
  }
}

TEST_CASE("nothing depends on the journal's index, which a crash may leave in any state") {
  const Crashed crashed;
  const std::size_t all = crashed.sizes.size() - 1;
  std::mt19937_64 random(11);
  for (int i = 0; i < 60; ++i) {
    std::string shm = crashed.index;
    if (i % 3 == 0) shm.resize(random() % (shm.size() + 1));
    if (i % 3 == 1) shm[random() % shm.size()] ^= static_cast<char>(1 + random() % 255);
    if (i % 3 == 2) {
      for (char& byte : shm) byte = static_cast<char>(random());
    }
    const OpenMode mode = i % 2 == 0 ? OpenMode::read_write : OpenMode::read_only;
    CHECK(crashed.transactions(crashed.journal, shm, mode) == all);
    // An index that promises more than the journal holds.
    CHECK(crashed.transactions(crashed.journal.substr(0, crashed.sizes[3]), shm, mode) == 3);
  }
}

TEST_CASE("after a torn write the archive is written on") {
  const Crashed crashed;
  CHECK(crashed.transactions(crashed.journal.substr(0, crashed.sizes[5] + 700), crashed.index) == 5);
  auto archive = must(Archive::open(crashed.folder / "copy.db", OpenMode::read_write));
  (void)must(archive.begin_job("afterwards", {}));
  must(archive.check());
  CHECK(must(archive.jobs()).size() == 1);
}

TEST_CASE("a page of the file itself that is gone is found, and what to do is said") {
  const Crashed crashed;
  const fs::path path = crashed.folder / "whole.db";
  {
    put(path, crashed.file);
    put(path.string() + "-wal", crashed.journal);
    must(must(Archive::open(path, OpenMode::read_write)).check());
  }
  const std::string whole = bytes_of(path);
  constexpr std::size_t kPage = 4096;
  std::mt19937_64 random(13);
  int damaged = 0;
  for (std::size_t page = 0; page < whole.size() / kPage; ++page) {
    std::string bytes = whole;
    for (std::size_t j = 0; j < kPage; ++j)
      bytes[page * kPage + j] = page % 2 == 0 ? '\0' : static_cast<char>(random());
    put(path, bytes);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(path.string() + suffix);
    INFO("page " << page + 1 << " of " << whole.size() / kPage);
    auto archive = Archive::open(path, OpenMode::read_only);
    const Result<void> sound = archive ? archive->check() : failure(archive.error());
    REQUIRE_FALSE(sound.has_value());
    ++damaged;
    if (page == 0) continue;  // without its header it is no database any more, and is called so
    CHECK_THAT(sound.error().message, ContainsSubstring("backup"));
  }
  CHECK(damaged > 40);
}
