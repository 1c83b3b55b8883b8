#include "core/text/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <numeric>
#include <regex>
#include <vector>

#include "core/text/schema_text.hpp"

// Why not a library: the general validators report "no subschema matched" or a JSON pointer into the schema.
// The readers here are language models and people who must mend a field, so a message says what stands in
// which field and what would have been right. That needs only the few keywords listed in the header.

namespace kevolve {
namespace {

constexpr std::size_t kMaxProblems = 8;
constexpr std::size_t kMaxPatternInput = 300;  // std::regex recurses once for every character

// A schema with its regular expressions compiled; immutable once loaded.
struct Schema {
  Json document;
  std::map<std::string, std::regex> patterns;

  explicit Schema(std::string_view text) : document(Json::parse(text)) { collect(document); }

  [[nodiscard]] bool matches(const std::string& pattern, const std::string& text) const {
    return text.size() <= kMaxPatternInput && std::regex_search(text, patterns.at(pattern));
  }

 private:
  void collect(const Json& node) {
    if (node.is_object()) {
      if (node.contains("pattern") && node["pattern"].is_string()) add(node["pattern"].get<std::string>());
      if (node.contains("patternProperties")) {
        for (const auto& [pattern, ignored] : node["patternProperties"].items()) add(pattern);
      }
    }
    if (!node.is_structured()) return;
    for (const Json& child : node) collect(child);
  }
  void add(const std::string& pattern) {
    patterns.try_emplace(pattern, pattern, std::regex::ECMAScript | std::regex::optimize);
  }
};

const Schema* find_schema(std::string_view name) {
  static const std::map<std::string, Schema, std::less<>> schemas = [] {
    std::map<std::string, Schema, std::less<>> loaded;
    for (const SchemaText& schema : kSchemaTexts) loaded.try_emplace(std::string(schema.name), schema.text);
    return loaded;
  }();
  const auto found = schemas.find(name);
  return found == schemas.end() ? nullptr : &found->second;
}

bool is_int64(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= INT64_MAX;
  return value.is_number_integer();
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return is_int64(value);
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return value.is_null();
}

std::string excerpt(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 80) {
    std::size_t end = 77;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  if (value.is_object()) return fmt::format("{} (an object)", text);
  if (value.is_array()) return fmt::format("{} (an array of {})", text, value.size());
  if (value.is_string()) return fmt::format("{} (a string)", text);
  return text;
}

std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

// "an integer from 1 to 8", from what the schema says of a value.
class Expectation {
 public:
  explicit Expectation(const Json& root) : root_(root) {}

  [[nodiscard]] const Json& resolved(const Json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }

  [[nodiscard]] std::string of(const Json& unresolved) const {
    const Json& schema = resolved(unresolved);
    if (schema.contains("title")) return schema["title"].get<std::string>();
    if (schema.contains("const")) return schema["const"].dump();
    if (schema.contains("enum")) return "one of " + list(schema["enum"]);
    if (schema.contains("oneOf")) {
      std::vector<std::string> branches;
      for (const Json& branch : schema["oneOf"]) branches.push_back(of(branch));
      return fmt::format("{}", fmt::join(branches, " or "));
    }
    const std::string type = schema.value("type", "");
    if (type == "object") return "an object" + range(schema, "minProperties", "maxProperties", "keys");
    if (type == "array") return "an array" + range(schema, "minItems", "maxItems", "entries");
    if (type == "string") {
      const std::string pattern = schema.value("pattern", "");
      return "a string" + range(schema, "minLength", "maxLength", "characters") +
             (pattern.empty() ? "" : " that matches " + pattern);
    }
    if (type == "boolean") return "true or false";
    if (type == "integer") return "an integer" + range(schema, "minimum", "maximum", "");
    return "a number" + range(schema, "minimum", "maximum", "");
  }

  static std::string list(const Json& values) {
    std::vector<std::string> words;
    for (const Json& value : values) words.push_back(value.dump());
    return fmt::format("{}", fmt::join(words, ", "));
  }

 private:
  // "from 1 to 8", "of at least 1", "above 0, at most 8": what the schema says between two keywords.
  static std::string range(const Json& schema, const std::string& low, const std::string& high,
                           const std::string& noun) {
    const bool has_low = schema.contains(low), has_high = schema.contains(high);
    const std::string end = noun.empty() ? "" : " " + noun;
    const std::string of = noun.empty() ? " of " : " with ";
    if (schema.contains("exclusiveMinimum")) {
      return fmt::format(" above {}{}", schema["exclusiveMinimum"].dump(),
                         has_high ? ", at most " + schema[high].dump() : "");
    }
    if (has_low && has_high) {
      return fmt::format(" {} {} to {}{}", noun.empty() ? "from" : "of", schema[low].dump(),
                         schema[high].dump(), end);
    }
    if (has_low) return fmt::format("{}at least {}{}", of, schema[low].dump(), end);
    return has_high ? fmt::format("{}at most {}{}", of, schema[high].dump(), end) : "";
  }

  const Json& root_;
};

class Validator {
 public:
  Validator(const Schema& schema, std::string_view where)
      : schema_(schema), expectation_(schema.document), where_(where) {}

  void check(const Json& value, const Json& unresolved, const std::string& path) {
    if (problems.size() >= kMaxProblems) return;
    const Json& schema = expectation_.resolved(unresolved);
    if (schema.contains("oneOf")) {
      check_one_of(value, schema, path);
      return;
    }
    if (schema.contains("type") && !has_type(value, schema["type"].get<std::string>())) {
      mismatch(value, schema, path);
      return;
    }
    if (schema.contains("const") && value != schema["const"]) return mismatch(value, schema, path);
    if (schema.contains("enum")) return check_enum(value, schema, path);
    if (value.is_object()) return check_object(value, schema, path);
    if (value.is_array()) return check_array(value, schema, path);
    if (value.is_string() && !string_fits(value.get_ref<const std::string&>(), schema)) {
      return mismatch(value, schema, path);
    }
    if (value.is_number() && !number_fits(value, schema)) mismatch(value, schema, path);
  }

  std::vector<std::string> problems;

 private:
  void report(const std::string& path, const std::string& problem) {
    problems.push_back(path.empty() ? fmt::format("{}: {}", where_, problem)
                                    : fmt::format("{}: {}: {}", where_, path, problem));
  }
  void mismatch(const Json& value, const Json& schema, const std::string& path) {
    report(path, fmt::format("found {}; expected {}", excerpt(value), expectation_.of(schema)));
  }

  void check_enum(const Json& value, const Json& schema, const std::string& path) {
    const Json& allowed = schema["enum"];
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::string hint;
    if (value.is_string()) {
      std::vector<std::string> words;
      for (const Json& word : allowed) words.push_back(word.get<std::string>());
      hint = nearest(value.get<std::string>(), words);
    }
    report(path, fmt::format("found {}; expected one of {}{}", excerpt(value), Expectation::list(allowed),
                             hint.empty() ? "" : fmt::format("; did you mean \"{}\"?", hint)));
  }

  // The branch is told by the value's type, and among several objects by the property that is const in each.
  void check_one_of(const Json& value, const Json& schema, const std::string& path) {
    std::vector<const Json*> fitting;
    for (const Json& unresolved : schema["oneOf"]) {
      const Json& branch = expectation_.resolved(unresolved);
      if (!branch.contains("type") || has_type(value, branch["type"].get<std::string>()))
        fitting.push_back(&branch);
    }
    if (fitting.empty()) return mismatch(value, schema, path);
    if (fitting.size() == 1) return check(value, *fitting[0], path);
    check_told_by_const(value, fitting, path);
  }

  void check_told_by_const(const Json& value, const std::vector<const Json*>& branches,
                           const std::string& path) {
    std::string teller;
    for (const auto& [key, property] : (*branches[0])["properties"].items()) {
      if (property.contains("const")) teller = key;
    }
    Json allowed = Json::array();
    for (const Json* branch : branches) {
      const Json& constant = (*branch)["properties"][teller]["const"];
      if (value.contains(teller) && value[teller] == constant) return check(value, *branch, path);
      allowed.push_back(constant);
    }
    if (!value.contains(teller)) {
      return report(path,
                    fmt::format("missing key '{}'; expected one of {}", teller, Expectation::list(allowed)));
    }
    check_enum(value[teller], Json{{"enum", allowed}}, join(path, teller));
  }

  void check_object(const Json& value, const Json& schema, const std::string& path) {
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    const Json& by_pattern = schema.contains("patternProperties") ? schema["patternProperties"] : none;
    for (const Json& key : schema.value("required", Json::array())) {
      const auto wanted = key.get<std::string>();
      if (value.contains(wanted)) continue;
      const Json& missing = expectation_.resolved(properties[wanted]);
      report(path, fmt::format("missing key '{}'; expected {}: {}", wanted, expectation_.of(missing),
                               properties[wanted].value("description", missing.value("description", ""))));
    }
    if (value.size() < schema.value("minProperties", std::size_t{0}) ||
        value.size() > schema.value("maxProperties", SIZE_MAX)) {
      mismatch(value, schema, path);
    }
    for (const auto& [key, member] : value.items()) {
      if (problems.size() >= kMaxProblems) return;
      if (properties.contains(key)) {
        check(member, properties[key], join(path, key));
      } else if (const Json* matching = matching_pattern(key, by_pattern)) {
        check(member, *matching, join(path, key));
      } else if (schema.value("additionalProperties", Json(true)) == Json(false)) {
        unknown_key(key, properties, by_pattern, path);
      }
    }
  }

  const Json* matching_pattern(const std::string& key, const Json& by_pattern) const {
    for (const auto& [pattern, member_schema] : by_pattern.items()) {
      if (schema_.matches(pattern, key)) return &member_schema;
    }
    return nullptr;
  }

  void unknown_key(const std::string& key, const Json& properties, const Json& by_pattern,
                   const std::string& path) {
    if (!by_pattern.empty()) {
      std::vector<std::string> patterns;
      for (const auto& [pattern, ignored] : by_pattern.items()) patterns.push_back(pattern);
      return report(path, fmt::format("found key {}; expected keys that match {}", excerpt(Json(key)),
                                      fmt::join(patterns, " or ")));
    }
    std::vector<std::string> known;
    for (const auto& [name, ignored] : properties.items()) known.push_back(name);
    const std::string near = nearest(key, known);
    report(path,
           fmt::format("unknown key '{}'; {}known keys: {}", key,
                       near.empty() ? "" : fmt::format("did you mean '{}'? ", near), fmt::join(known, ", ")));
  }

  void check_array(const Json& value, const Json& schema, const std::string& path) {
    if (value.size() < schema.value("minItems", std::size_t{0}) ||
        value.size() > schema.value("maxItems", SIZE_MAX)) {
      return mismatch(value, schema, path);
    }
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i)
      check(value[i], schema["items"], fmt::format("{}[{}]", path, i));
  }

  [[nodiscard]] bool string_fits(const std::string& text, const Json& schema) const {
    if (text.size() < schema.value("minLength", std::size_t{0})) return false;
    if (text.size() > schema.value("maxLength", SIZE_MAX)) return false;
    return !schema.contains("pattern") || schema_.matches(schema["pattern"].get<std::string>(), text);
  }

  static bool number_fits(const Json& value, const Json& schema) {
    if (schema.contains("minimum") && value < schema["minimum"]) return false;
    if (schema.contains("maximum") && value > schema["maximum"]) return false;
    return !schema.contains("exclusiveMinimum") || value > schema["exclusiveMinimum"];
  }

  const Schema& schema_;
  Expectation expectation_;
  std::string where_;
};

}  // namespace

Result<void> validate(const Json& value, std::string_view schema, std::string_view where) {
  const Schema* found = find_schema(schema);
  if (found == nullptr) std::abort();  // only this program's own code names schemas
  Validator validator(*found, where);
  validator.check(value, found->document, "");
  if (validator.problems.empty()) return {};
  return failure(fmt::format("{}", fmt::join(validator.problems, "\n")));
}

}  // namespace kevolve
