#include "core/text/json.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

namespace kevolve {
namespace {

constexpr std::size_t kMaxNesting = 100;

// Walks a text and tells its owner how far the parser has read: events carry no position of their own.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** furthest = nullptr;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    if (furthest != nullptr) *furthest = at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

// Bytes that are not UTF-8 would make the error itself impossible to print as JSON.
std::string as_utf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

struct Place {
  std::size_t line = 1, column = 1;
  std::string text;  // of the line, at most 160 bytes
};

Place place_of(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  Place place;
  std::size_t line_begin = 0;
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] != '\n') continue;
    ++place.line;
    line_begin = i + 1;
  }
  place.column = offset - line_begin + 1;
  const std::size_t line_end = std::min(text.find('\n', line_begin), text.size());
  place.text =
      as_utf8(std::string(text.substr(line_begin, std::min<std::size_t>(line_end - line_begin, 160))));
  return place;
}

// Builds the document and stops at the first duplicate key.
class Builder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_object() override {
    keys_.pop_back();
    return close();
  }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (!keys_.back().insert(value).second) {
      problem = fmt::format("duplicate key '{}'; expected each key once in an object", value);
      return false;
    }
    key_ = value;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& error) override {
    const std::string what = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
    const std::size_t column = what.find(", column ");
    const std::size_t begin = column == std::string::npos ? what.find("] ") + 2 : what.find(": ", column) + 2;
    problem = what.substr(begin);
    offset = position == 0 ? 0 : position - 1;
    return false;
  }

  Json root;
  std::string problem;
  std::optional<std::size_t> offset;  // of a syntax error

 private:
  Json* place(Json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // Not operator[]: its linear search would be quadratic, and key() has refused duplicates.
    auto& members = parent.get_ref<Json::object_t&>();
    members.Container::emplace_back(key_, std::move(value));
    return &members.Container::back().second;
  }
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json container) {
    if (open_.size() == kMaxNesting) {
      problem = fmt::format("nested deeper than {} levels", kMaxNesting);
      return false;
    }
    if (container.is_object()) keys_.emplace_back();
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Json*> open_;
  std::vector<std::set<std::string>> keys_;  // of the open objects
  std::string key_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view where) {
  Builder builder;
  const char* furthest = text.data();
  const bool good = Json::sax_parse(CountingIterator{text.data(), &furthest},
                                    CountingIterator{text.data() + text.size(), nullptr}, &builder,
                                    nlohmann::detail::input_format_t::json, true, true);
  if (good) return std::move(builder.root);
  // Events come just after their token has been read: the column of a duplicate key is that of its closing
  // quote.
  const auto read = static_cast<std::size_t>(furthest - text.data());
  const Place place = place_of(text, builder.offset.value_or(read == 0 ? 0 : read - 1));
  return failure(fmt::format("{}: line {}, column {}: {}\n  {}", where, place.line, place.column,
                             as_utf8(builder.problem), place.text));
}

Result<Json> read_json_file(const std::filesystem::path& path) {
  const Result<std::string> text = read_text_file(path);
  if (!text) return failure(text.error());
  return parse_json(*text, path.string());
}

Result<std::string> read_text_file(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    return failure(fmt::format("{}: is a folder; expected a file", path.string()));
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return failure(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  return text;
}

}  // namespace kevolve
