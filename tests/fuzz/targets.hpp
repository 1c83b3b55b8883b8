#pragma once
// The parsers of foreign text, as functions that a fuzzer calls with anything. Each aborts when a promise of
// the parser's does not hold; a crash, a sanitizer's report or a hang is the other way to fail.

#include <span>
#include <string_view>

namespace kevolve::fuzz {

struct Target {
  std::string_view
      name;  ///< of the program fuzz_<name>, of corpus/<name>.zst and of the folder corpus/<name>
  void (*run)(std::string_view data);
};

/// All of them; their names: "ideas", "candidates", "header", "expression", "http", "events", "job",
/// "worker_line", "cuda_text".
std::span<const Target> targets();

}  // namespace kevolve::fuzz
