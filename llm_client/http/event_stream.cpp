#include "llm_client/http/event_stream.hpp"

namespace kevolve::llm {

void EventStream::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const std::size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) return;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    line(line_);
    line_.clear();
  }
}

void EventStream::finish() {
  if (!line_.empty()) line(line_);
  line_.clear();
  dispatch();
}

void EventStream::line(std::string_view text) {
  if (at_start_ && text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  at_start_ = false;
  if (text.empty()) return dispatch();
  const std::size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "event") event_ = value;
  if (field == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

void EventStream::dispatch() {
  if (has_data_) sink_(event_, data_);
  event_.clear();
  data_.clear();
  has_data_ = false;
}

}  // namespace kevolve::llm
