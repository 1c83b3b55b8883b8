#pragma once
// What keeping an archive takes and tells: its size, what is wrong with it, what merging, pruning and
// importing did. Values with a JSON form.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/records.hpp"

namespace kevolve::archive {

struct TableSize {
  std::string table;
  std::int64_t rows = 0;
};

struct OperatorSize {
  std::string name;
  int versions = 0;
  std::int64_t ideas = 0, candidates = 0, evaluations = 0;
  std::int64_t verified = 0;  ///< kernels, each counted wherever it stands
};

struct ArchiveInfo {
  std::string uid;
  std::int64_t schema = 0;
  std::int64_t file_bytes = 0, journal_bytes = 0;  ///< the file; its write-ahead log
  std::int64_t free_bytes = 0;                     ///< of the file, to be used again
  std::vector<TableSize> tables;
  std::vector<OperatorSize> operators;
  std::optional<Timestamp> oldest, newest;  ///< evaluations
  /// What an evaluation adds, everything that belongs to it included; 0 when there is none.
  [[nodiscard]] double bytes_per_evaluation() const;
  [[nodiscard]] std::int64_t rows(std::string_view table) const;
};

struct MergeReport {
  struct Rows {
    std::string table;
    std::int64_t added = 0, known = 0;  ///< new here; here already
  };
  std::vector<Rows> tables;
  std::vector<std::string> renamed_jobs;  ///< "night -> night@1f2e3d4c": another job has the name
  std::int64_t standings_rejudged = 0;    ///< kernels that both archives knew something of
  std::int64_t champions_kept = 0;        ///< champions of this archive that the other's did not beat
  [[nodiscard]] bool changed() const;
};

struct PruneOptions {
  bool samples = false;  ///< raw samples, except those of champions
  bool prompts = false;  ///< texts of prompts; replies stay
  bool losers = false;   ///< candidates that never passed, unless something descends from them
  std::optional<Timestamp> before = {};  ///< only what is older
  bool dry_run = false;
};

struct PruneReport {
  std::int64_t sample_rows = 0, sample_bytes = 0;
  std::int64_t prompt_texts = 0, prompt_bytes = 0;
  std::int64_t candidates = 0, evaluations = 0, sources = 0;
  std::int64_t file_bytes_before = 0, file_bytes_after = 0;
};

Json to_json(const ArchiveInfo& info);
Json to_json(const MergeReport& report);
Json to_json(const PruneReport& report);

}  // namespace kevolve::archive
