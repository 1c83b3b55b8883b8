#pragma once
// FieldReader: takes a JSON object apart field by field. It stops at the first thing that is wrong and keeps
// an error that names the field, the value and what was expected. For the formats that the programs write
// themselves (plans, evaluations, worker lines); what people and models write is checked against a schema
// first. Refers to the object it reads; one thread.

#include <fmt/format.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/text/json.hpp"
#include "core/text/names.hpp"

namespace kevolve {

/// Numbers that JSON has no form for are the strings "nan", "inf" and "-inf".
Json number_to_json(double value);
/// Nothing when `json` is not what a Value is written as. Defined for the types that FieldReader::read is
/// used with.
template <class Value>
std::optional<Value> value_from_json(const Json& json);

class FieldReader {
 public:
  FieldReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("", fmt::format("found {}; expected an object", excerpt(object)));
  }

  /// Reads a required field into `target`.
  template <class Value>
  void read(const char* key, Value& target) {
    const Json* json = required(key);
    if (json == nullptr) return;
    std::optional<Value> value = value_from_json<Value>(*json);
    if (!value) return mismatch(key, *json, expectation<Value>());
    target = std::move(*value);
  }

  /// Reads a field that may be absent, and leaves `target` alone then.
  template <class Value>
  void maybe(const char* key, Value& target) {
    if (find(key) != nullptr) read(key, target);
  }
  template <class Value>
  void maybe(const char* key, std::optional<Value>& target) {
    if (find(key) != nullptr) read(key, target.emplace());
  }

  /// A name such as "bf16"; `from_name` knows them.
  template <class Value>
  void name(const char* key, Value& target, std::optional<Value> (*from_name)(std::string_view),
            const char* noun) {
    std::string word;
    read(key, word);
    if (error_) return;
    const std::optional<Value> value = from_name(word);
    if (!value) return mismatch(key, object_[key], noun);
    target = *value;
  }

  /// The object's own member, for what has a reader of its own; nullptr when absent.
  const Json* find(const char* key);
  const Json* required(const char* key);
  /// Takes over what another reader said about a member.
  template <class Value, class Target>
  void take(Result<Value> value, Target& target) {
    if (!value) {
      if (!error_) error_ = value.error();
    } else if (!error_) {
      target = std::move(*value);
    }
  }

  /// Reads every element of an array with `read_one(element, where)`, which returns a Result.
  template <class Value, class Reader>
  void list(const char* key, std::vector<Value>& target, Reader read_one) {
    const Json* json = required(key);
    if (json == nullptr) return;
    if (!json->is_array()) return mismatch(key, *json, "an array");
    for (std::size_t i = 0; i < json->size() && !error_; ++i) {
      target.emplace_back();
      take(read_one((*json)[i], fmt::format("{}[{}]", at(key), i)), target.back());
    }
  }

  void mismatch(const char* key, const Json& found, std::string_view expected) {
    fail(key, fmt::format("found {}; expected {}", excerpt(found), expected));
  }
  [[nodiscard]] std::string at(const char* key) const { return where_ + "." + key; }
  [[nodiscard]] bool failed() const { return error_.has_value(); }

  /// Refuses fields that nobody asked for; then the value, or the first error.
  template <class Value>
  Result<Value> finish(Value value) {
    refuse_unknown();
    if (error_) return failure(*error_);
    return value;
  }

 private:
  static std::string excerpt(const Json& json);
  template <class Value>
  static const char* expectation() {
    if constexpr (std::is_same_v<Value, std::string>) return "a string";
    if constexpr (std::is_same_v<Value, bool>) return "true or false";
    if constexpr (std::is_integral_v<Value>) return "an integer";
    if constexpr (std::is_floating_point_v<Value>) return "a number, \"nan\", \"inf\" or \"-inf\"";
    if constexpr (std::is_same_v<Value, std::vector<double>>) return "an array of numbers";
    if constexpr (std::is_same_v<Value, std::vector<std::int64_t>>) return "an array of integers";
    return "an object of numbers";
  }
  void fail(std::string_view key, const std::string& problem);
  void refuse_unknown();

  const Json& object_;
  std::string where_;
  Names asked_;
  std::optional<Error> error_;
};

}  // namespace kevolve
