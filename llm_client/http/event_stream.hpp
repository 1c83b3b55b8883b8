#pragma once
// EventStream: takes a text/event-stream apart as it arrives, split wherever the network split it.
// Pure; one thread. Lines may end with LF, CR LF or CR; comments, `id` and `retry` are passed over.

#include <functional>
#include <string>
#include <string_view>

namespace kevolve::llm {

class EventStream {
 public:
  /// `event`: its name, "" when it has none; `data`: its data lines, joined by LF. Never called without data.
  using Sink = std::function<void(std::string_view event, std::string_view data)>;

  explicit EventStream(Sink sink) : sink_(std::move(sink)) {}

  void feed(std::string_view bytes);
  /// The stream is over: an event that no empty line ended counts, as several servers leave the last one so.
  void finish();
  /// Bytes held of an event that is not complete.
  [[nodiscard]] std::size_t pending() const { return line_.size() + data_.size(); }

 private:
  void line(std::string_view text);
  void dispatch();

  Sink sink_;
  std::string line_, event_, data_;
  bool has_data_ = false, after_cr_ = false, at_start_ = true;
};

}  // namespace kevolve::llm
