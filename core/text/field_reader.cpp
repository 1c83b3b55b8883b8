#include "core/text/field_reader.hpp"

#include <cmath>

namespace kevolve {

Json number_to_json(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

template <>
std::optional<std::string> value_from_json(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  return json.get<std::string>();
}

template <>
std::optional<bool> value_from_json(const Json& json) {
  if (!json.is_boolean()) return std::nullopt;
  return json.get<bool>();
}

template <>
std::optional<std::int64_t> value_from_json(const Json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return json.get<std::int64_t>();
}

template <>
std::optional<int> value_from_json(const Json& json) {
  const auto wide = value_from_json<std::int64_t>(json);
  if (!wide || *wide < std::numeric_limits<int>::min() || *wide > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(*wide);
}

template <>
std::optional<double> value_from_json(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

namespace {

template <class Element>
std::optional<std::vector<Element>> elements(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<Element> values;
  for (const Json& element : json) {
    const auto value = value_from_json<Element>(element);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

template <class Element>
std::optional<std::map<std::string, Element>> members(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  std::map<std::string, Element> values;
  for (const auto& [key, member] : json.items()) {
    const auto value = value_from_json<Element>(member);
    if (!value) return std::nullopt;
    values[key] = *value;
  }
  return values;
}

}  // namespace

template <>
std::optional<std::vector<double>> value_from_json(const Json& json) {
  return elements<double>(json);
}
template <>
std::optional<std::vector<std::int64_t>> value_from_json(const Json& json) {
  return elements<std::int64_t>(json);
}
template <>
std::optional<std::map<std::string, double>> value_from_json(const Json& json) {
  return members<double>(json);
}
template <>
std::optional<std::map<std::string, std::int64_t>> value_from_json(const Json& json) {
  return members<std::int64_t>(json);
}

const Json* FieldReader::find(const char* key) {
  if (error_) return nullptr;
  asked_.emplace(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

const Json* FieldReader::required(const char* key) {
  const Json* json = find(key);
  if (json == nullptr) fail("", fmt::format("missing key '{}'", key));
  return json;
}

std::string FieldReader::excerpt(const Json& json) {
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);  // ASCII: may be cut anywhere
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

void FieldReader::fail(std::string_view key, const std::string& problem) {
  if (error_) return;
  error_ = Error{key.empty() ? fmt::format("{}: {}", where_, problem)
                             : fmt::format("{}.{}: {}", where_, key, problem)};
}

void FieldReader::refuse_unknown() {
  if (error_) return;
  for (const auto& [key, ignored] : object_.items()) {
    if (!asked_.contains(key)) {
      return fail("", fmt::format("unknown key '{}'{}", key, suggestion(key, asked_, "keys")));
    }
  }
}

}  // namespace kevolve
