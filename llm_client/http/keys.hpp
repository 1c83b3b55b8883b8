#pragma once
// KeyRing: the keys of the endpoints in use, and Redactor: what keeps them out of every text.
//
// Keys are read once, at the start. What was read from the environment is then overwritten and removed there,
// so that no child process inherits it and /proc/self/environ no longer shows it. Changing the environment is
// not thread-safe: take_keys() before the first thread starts. The results are immutable.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "llm_client/http/models_file.hpp"

namespace kevolve::llm {

/// By endpoint; "" for an endpoint that wants none.
using KeyRing = std::map<std::string, std::string>;

/// Keys that were taken out of the environment, for a process that opens models again and again. A key is
/// given to the endpoint's URL that it was taken for, and to no other. Immutable once taken.
class TakenKeys {
 public:
  /// Those that `file` names and that are set. Before the first thread starts.
  static TakenKeys take(const ModelsFile& file);
  [[nodiscard]] const std::string* find(const EndpointSettings& endpoint) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> values_;  ///< by variable and URL
};

/// Keys of `endpoints` (names of file.endpoints). Errors name the variable or the file, never what is in it.
Result<KeyRing> take_keys(const ModelsFile& file, const std::set<std::string>& endpoints);
/// The same, and the environment keeps its keys: to see whether take_keys() will find them.
Result<KeyRing> read_keys(const ModelsFile& file, const std::set<std::string>& endpoints);
/// The same of keys that were taken at the start, and of key files; the environment is left alone.
Result<KeyRing> look_up_keys(const ModelsFile& file, const std::set<std::string>& endpoints,
                             const TakenKeys& taken);

class Redactor {
 public:
  explicit Redactor(const KeyRing& keys);

  /// For errors and notes: whole keys, plain, base64 or percent-encoded; any eight characters in a row of
  /// one; and words with asterisks that begin or end as a key does, as servers print keys they refuse.
  [[nodiscard]] std::string operator()(std::string_view text) const;
  /// For what a model wrote: whole keys only, and only those long enough not to be a word.
  [[nodiscard]] std::string whole_keys(std::string_view text) const;

 private:
  std::vector<std::string> keys_;
  std::vector<std::string> whole_;            // every form of the keys, longest first
  std::set<std::string, std::less<>> grams_;  // eight characters in a row
};

}  // namespace kevolve::llm
