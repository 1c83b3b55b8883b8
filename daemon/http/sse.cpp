#include "daemon/http/sse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kevolve::http {
namespace {

constexpr std::size_t kLongestLine = std::size_t{8} << 20;

/// One line: a type with a line break would begin another field.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  return line;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string event_frame(const service::EventLog& log, const service::Event& event) {
  const Json data = {{"at", event.at}, {"type", event.type}, {"job", event.job}, {"data", event.data}};
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", log.id(event.number), one_line(event.type),
                     dumped(data));
}

std::string gap_frame(std::string_view reason, std::string_view after) {
  return fmt::format("event: gap\ndata: {}\n\n", dumped({{"reason", reason}, {"after", after}}));
}

std::string heartbeat_frame(std::string_view id) {
  return fmt::format(": here\nid: {}\n\n", id);
}

bool SseReader::feed(std::string_view text, const Callback& callback) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      partial_ += text;
      return partial_.size() <= kLongestLine;
    }
    partial_ += text.substr(0, end);
    text.remove_prefix(end + 1);
    if (partial_.ends_with('\r')) partial_.pop_back();
    if (!line(partial_, callback)) return false;
    partial_.clear();
  }
  return true;
}

bool SseReader::line(std::string_view text, const Callback& callback) {
  if (text.empty()) {
    if (data_.empty()) {
      type_.clear();
      return true;
    }
    data_.pop_back();  // the last line break
    const SseEvent event{last_id_, type_.empty() ? "message" : type_, data_};
    type_.clear();
    data_.clear();
    return callback(event);
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view field = text.substr(0, colon);
  std::string_view value = text.substr(std::min(colon + 1, text.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "id") last_id_ = value;
  if (field == "event") type_ = value;
  if (field == "data") {
    data_ += value;
    data_ += '\n';
  }
  return data_.size() <= kLongestLine;
}

}  // namespace kevolve::http
