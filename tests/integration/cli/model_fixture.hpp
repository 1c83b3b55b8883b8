#pragma once
// What a model might say of gelu, and what an archive holds of a job that listened to it.

#include <map>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "tests/integration/cli/fixture.hpp"

namespace kevolve::testing {

inline std::string seed_source(const std::string& name) {
  const auto text = read_text_file(std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed/gelu" / name);
  REQUIRE(text);
  return *text;
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

inline std::string fenced(const std::string& source) {
  return "Here it is:\n\n```cuda\n" + source + "\n```\n";
}

inline const std::string kIdeas = R"([
  {"idea": "Let each thread take many contiguous elements.", "bottleneck": "threads", "predicted_us": 900},
  {"idea": "Replace the error function by a rational approximation.", "bottleneck": "math", "predicted_us": 500}])";

struct Found {
  std::vector<archive::ExchangeRecord> exchanges;
  std::vector<archive::CandidateRecord> candidates;
  std::vector<archive::IdeaRecord> ideas;
  std::map<std::string, Outcome> outcomes;  ///< by slot of the exchange that wrote it
};

inline Found look_into(const std::string& file) {
  auto archive = archive::Archive::open(file, archive::OpenMode::read_only);
  REQUIRE(archive);
  REQUIRE(archive->check());
  const auto job = archive->job("model");
  REQUIRE(job);
  REQUIRE(*job);
  Found found;
  found.exchanges = *archive->exchanges((*job)->id);
  const auto rounds = archive->rounds((*job)->id);
  REQUIRE(rounds);
  for (const archive::RoundRecord& round : *rounds) {
    const auto ideas = archive->ideas(round.id);
    REQUIRE(ideas);
    found.ideas.insert(found.ideas.end(), ideas->begin(), ideas->end());
    const auto candidates = archive->candidates(round.id);
    REQUIRE(candidates);
    for (const archive::CandidateRecord& candidate : *candidates) {
      found.candidates.push_back(candidate);
      if (!candidate.evaluation) continue;
      for (const archive::ExchangeRecord& x : found.exchanges) {
        if (x.id == candidate.exchange && !found.outcomes.contains(x.slot))
          found.outcomes[x.slot] = archive->evaluation(*candidate.evaluation)->evaluation.verdict.outcome;
      }
    }
  }
  return found;
}

}  // namespace kevolve::testing
