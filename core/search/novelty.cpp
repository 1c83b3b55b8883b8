#include "core/search/novelty.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace kevolve::search {
namespace {

// Measured on the seeds' ideas and on paraphrases (tests/unit/core/search/novelty_test.cpp): different ideas
// that name the same mechanisms stay below 0.45, most paraphrases are above 0.60; where a mechanism differs
// (atomics here, clusters there), only texts that hardly differ otherwise are the same.
constexpr double kSameMechanisms = 0.45;
constexpr double kOtherMechanisms = 0.70;
constexpr double kContainment = 0.85;  ///< of the shorter text in the longer, with the same mechanisms
constexpr double kLeastShare = 0.30;   ///< and then the resemblance must be this much
constexpr double kCommonWeight = 0.25;

using Terms = std::set<std::string>;
using Words = std::vector<std::string_view>;

// All of these are written as words and stemmed by the program.
const Words kStopWords = {
    "a",        "an",      "the",       "and",    "or",       "of",          "to",
    "in",       "on",      "for",       "with",   "by",       "from",        "at",
    "as",       "is",      "are",       "be",     "it",       "its",         "that",
    "this",     "these",   "so",        "then",   "than",     "into",        "over",
    "per",      "each",    "every",     "all",    "any",      "both",        "one",
    "two",      "three",   "four",      "use",    "using",    "only",        "not",
    "no",       "which",   "while",     "when",   "where",    "can",         "will",
    "has",      "have",    "their",     "they",   "them",     "other",       "more",
    "most",     "much",    "many",      "few",    "just",     "same",        "such",
    "also",     "because", "but",       "we",     "our",      "you",         "do",
    "does",     "via",     "instead",   "rather", "after",    "before",      "out",
    "up",       "between", "across",    "among",  "within",   "whole",       "own",
    "first",    "second",  "third",     "once",   "twice",    "several",     "there",
    "those",    "what",    "would",     "should", "could",    "let",         "make",
    "made",     "give",    "get",       "take",   "need",     "now",         "still",
    "thus",     "hence",   "therefore", "whose",  "onto",     "until",       "together",
    "next",     "current", "through",   "along",  "single",   "time",        "free",
    "call",     "replace", "bit",       "byte",   "apply",    "approximate", "approximation",
    "another",  "size",    "assign",    "level",  "raise",    "increase",    "improve",
    "given",    "lie",     "run",       "inner",  "itself",   "find",        "found",
    "add",      "eight",   "sixteen",   "large",  "small",    "never",       "leave",
    "directly", "entire",  "entirely",  "full",   "algorithm"};

// Words that nearly every idea uses: little weight.
const Words kCommonWords = {"kernel",      "thread",      "element", "block",  "memory",   "row",
                            "compute",     "computation", "work",    "data",   "value",    "fast",
                            "fewer",       "result",      "input",   "output", "device",   "launch",
                            "load",        "store",       "keep",    "gpu",    "cuda",     "idea",
                            "instruction", "access",      "hopper",  "sm",     "operation"};

// Each group is one term, its first word's.
const std::vector<Words> kSynonyms = {
    {"split", "divide", "partition", "cut", "distribute", "spread"},
    {"piece", "chunk", "segment", "part", "portion", "slice", "strip"},
    {"merge", "combine", "join", "unite", "fuse", "fusion"},
    {"block", "cta", "threadblock"},
    {"sm", "sms", "multiprocessor"},
    {"shared", "smem", "scratchpad"},
    {"vector", "vectorize", "vectorise", "vectorized", "vectorization", "float", "wide", "wider", "packed"},
    {"load", "read", "fetch"},
    {"store", "write", "emit"},
    {"access", "move", "transfer"},
    {"keep", "hold", "cache", "cached", "retain"},
    {"memory", "dram", "hbm", "global", "bandwidth"},
    {"pipeline", "prefetch", "overlap", "multistage", "stage", "double", "buffer", "async", "asynchronous",
     "asynchronously"},
    {"reduce", "reduction", "sum", "accumulate", "accumulator", "accumulation", "partial"},
    {"cluster", "dsmem"},
    {"max", "maximum", "maxima", "peak"},
    {"exp", "expf", "exponential"},
    {"multiply", "multiplication", "product", "gemm", "matmul"},
    {"warp", "lane"},
    {"shuffle", "shfl"},
    {"barrier", "sync", "synchronize", "synchronise", "synchronization", "syncthreads"},
    {"idle", "underused"},
    {"avoid", "without", "eliminate", "remove", "skip", "save", "saving", "disappear"},
    {"repack", "rearrange", "reorder", "layout"},
    {"tensor", "wgmma", "mma", "wmma"},
    {"ticket", "counter", "last", "final", "finish"},
    {"parallel", "simultaneous", "simultaneously", "concurrent", "concurrently", "independent", "ilp",
     "parallelism", "separate"},
    {"coalesce", "coalesced", "contiguous", "neighbouring", "neighboring", "neighbour", "neighbor",
     "consecutive", "adjacent"},
    {"persistent", "resident"},
    {"branch", "branchless", "branchfree"},
    {"pass", "sweep"},
    {"loop", "stride", "iterate", "walk"}};

// What an idea is done with: where these differ, ideas do.
const Words kMechanismWords = {
    "atomic",     "ticket",  "cluster",   "tensor", "tma",     "cooperative", "persistent", "shuffle",
    "polynomial", "welford", "chan",      "online", "unroll",  "transpose",   "swizzle",    "pad",
    "hilbert",    "evict",   "streaming", "table",  "prepare", "compensated", "texture",    "half"};

bool is_vowel(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/// Porter's steps 1a and 1b, a few of 2 to 4 and 5a, on lower-case words.
std::string stem(std::string word) {
  const auto strip = [&](std::string_view suffix, std::string_view to) {
    if (word.size() < suffix.size() + 3 || !word.ends_with(suffix)) return false;
    const std::string_view rest = std::string_view(word).substr(0, word.size() - suffix.size());
    if (std::none_of(rest.begin(), rest.end(), is_vowel)) return false;
    word.replace(rest.size(), suffix.size(), to);
    return true;
  };
  if (!strip("sses", "ss") && !strip("ies", "i") && !word.ends_with("ss")) strip("s", "");
  if (strip("ing", "") || strip("ed", "")) {
    const std::size_t n = word.size();
    if (n > 3 && word[n - 1] == word[n - 2] && !is_vowel(word[n - 1]) && word[n - 1] != 'l' &&
        word[n - 1] != 's')
      word.pop_back();
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSuffixes = {{{"ational", "at"},
                                                                                        {"ization", "iz"},
                                                                                        {"isation", "is"},
                                                                                        {"ation", ""},
                                                                                        {"ment", ""},
                                                                                        {"ness", ""},
                                                                                        {"tion", "t"},
                                                                                        {"ally", ""},
                                                                                        {"ly", ""},
                                                                                        {"ous", ""}}};
  for (const auto& [suffix, to] : kSuffixes) {
    if (strip(suffix, to)) break;
  }
  strip("e", "");
  return word;
}

/// The word lists, stemmed: made once.
struct Lexicon {
  std::set<std::string> stop, common, mechanisms;
  std::map<std::string, std::string> same;

  Lexicon() {
    for (const Words& group : kSynonyms) {
      for (const std::string_view word : group) same[stem(std::string(word))] = stem(std::string(group[0]));
    }
    stop = terms(kStopWords);
    common = terms(kCommonWords);
    mechanisms = terms(kMechanismWords);
  }

  [[nodiscard]] std::string term(std::string word) const {
    std::string stemmed = stem(std::move(word));
    const auto found = same.find(stemmed);
    return found == same.end() ? stemmed : found->second;
  }

 private:
  [[nodiscard]] std::set<std::string> terms(const Words& words) const {
    std::set<std::string> all;
    for (const std::string_view word : words) all.insert(term(std::string(word)));
    return all;
  }
};

const Lexicon& lexicon() {
  static const Lexicon kLexicon;
  return kLexicon;
}

Terms terms_of(std::string_view text) {
  Terms terms;
  std::string word, before;
  const auto finish = [&] {
    if ((word == "bit" || word == "bits") && before == "128") terms.insert("vector");
    if (!word.empty()) before = word;
    while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.pop_back();  // float4, fp16
    const bool number = word.empty() || (word[0] >= '0' && word[0] <= '9');
    if (!number && word.size() > 1) {
      std::string term = lexicon().term(word);
      if (!lexicon().stop.contains(term)) terms.insert(std::move(term));
    }
    word.clear();
  };
  for (const char raw : text) {
    const char c = raw >= 'A' && raw <= 'Z' ? static_cast<char>(raw - 'A' + 'a') : raw;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      word += c;
    else
      finish();
  }
  finish();
  return terms;
}

double weight(const std::string& term) {
  return lexicon().common.contains(term) ? kCommonWeight : 1.0;
}

double weight(const Terms& terms) {
  double sum = 0;
  for (const std::string& term : terms) sum += weight(term);
  return sum;
}

struct Likeness {
  double resemblance = 0, containment = 0;
  bool same_mechanisms = true;
};

Likeness likeness(const Terms& a, const Terms& b) {
  Likeness found;
  double common = 0;
  for (const std::string& term : a) common += b.contains(term) ? weight(term) : 0;
  for (const std::string& mechanism : lexicon().mechanisms)
    found.same_mechanisms = found.same_mechanisms && a.contains(mechanism) == b.contains(mechanism);
  const double wa = weight(a), wb = weight(b), all = wa + wb - common, smaller = std::min(wa, wb);
  found.resemblance = all > 0 ? common / all : 0;
  found.containment = smaller > 0 ? common / smaller : 0;
  return found;
}

bool nearly_the_same(const Likeness& found) {
  if (found.resemblance >= kOtherMechanisms) return true;
  if (!found.same_mechanisms) return false;
  return found.resemblance >= kSameMechanisms ||
         (found.containment >= kContainment && found.resemblance >= kLeastShare);
}

}  // namespace

double resemblance(std::string_view a, std::string_view b) {
  return likeness(terms_of(a), terms_of(b)).resemblance;
}

std::optional<std::size_t> near_duplicate(std::string_view text, const std::vector<std::string>& known) {
  const Terms terms = terms_of(text);
  std::optional<std::size_t> best;
  double most = -1;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Likeness found = likeness(terms, terms_of(known[i]));
    if (!nearly_the_same(found) || found.resemblance <= most) continue;
    most = found.resemblance;
    best = i;
  }
  return best;
}

}  // namespace kevolve::search
