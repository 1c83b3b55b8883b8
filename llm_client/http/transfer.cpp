#include "llm_client/http/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/text/words.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kMostHeaders = 200;

// Asked without a proxy, whatever the environment says: no proxy can reach them for us.
bool is_this_machine(const std::string& url) {
  const std::string_view host = std::string_view(url).substr(url.find("://") + 3);
  for (const std::string_view own : {"127.", "localhost:", "localhost/", "[::1]"}) {
    if (host.substr(0, own.size()) == own) return true;
  }
  return host == "localhost";
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  // Fails for an unknown option or want of memory only.
  if (::curl_easy_setopt(easy, option, value) != CURLE_OK) std::abort();
}

}  // namespace

Transfer::Transfer(const EndpointSettings& endpoint, const Wire& wire, std::string body,
                   const std::vector<std::string>& headers, const AnswerLimits& limits)
    : wire_(wire),
      timeouts_(endpoint.timeouts),
      limits_(limits),
      body_(std::move(body)),
      events_([this](std::string_view event, std::string_view data) {
        if (!received_.stream.error) wire_.read_event(event, data, received_.stream);
      }),
      easy_(::curl_easy_init()) {
  if (!easy_) std::abort();
  const auto add = [this](const std::string& line) {
    headers_.reset(::curl_slist_append(headers_.release(), line.c_str()));
  };
  add("Content-Type: application/json");
  add("Accept: application/json, text/event-stream");
  add("Expect:");  // no pause for a "100 Continue"
  for (const auto& [name, value] : endpoint.headers) add(value.empty() ? name + ";" : name + ": " + value);
  for (const std::string& line : headers) add(line);
  set_up(endpoint);
  set_callbacks();
}

void Transfer::set_up(const EndpointSettings& endpoint) {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_URL, (endpoint.url + std::string(wire_.path)).c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (is_this_machine(endpoint.url)) set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDS, body_.data());
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  set(easy, CURLOPT_HTTPHEADER, headers_.get());
  set(easy, CURLOPT_USERAGENT, "kevolve");
  set(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Over TLS, wait for a connection that may turn out to carry many requests at once.
  if (endpoint.url.rfind("https", 0) == 0) set(easy, CURLOPT_PIPEWAIT, 1L);
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!endpoint.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, endpoint.ca_file.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name that is still being looked up
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeouts_.connect.count()));
}

void Transfer::set_callbacks() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_ERRORBUFFER, error_);
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
}

void Transfer::start(Time now) {
  started_ = last_byte_ = now;
}

Transfer::Deadline Transfer::deadline() const {
  const Time total = started_ + timeouts_.total;
  const Deadline waiting = read_ == 0 ? Deadline{started_ + timeouts_.first_byte, Failure::silent}
                                      : Deadline{last_byte_ + timeouts_.stall, Failure::broken_off};
  if (waiting.at <= total) return waiting;
  return {total, read_ == 0 ? Failure::silent : Failure::too_slow};
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  static_cast<Transfer*>(self)->header_line({data, size * count});
  return size * count;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->body_bytes({data, size * count}) ? size * count : 0;
}

void Transfer::header_line(std::string_view line) {
  if (line.substr(0, 5) == "HTTP/")
    received_.headers.clear();  // those before were of a proxy, or provisional
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || received_.headers.size() >= kMostHeaders) return;
  received_.headers[lower(trimmed(line.substr(0, colon)))] = std::string(trimmed(line.substr(colon + 1)));
}

bool Transfer::body_bytes(std::string_view bytes) {
  last_byte_ = std::chrono::steady_clock::now();
  read_ += bytes.size();
  if (!sniffed_) {  // by its first character: content types are often wrong
    const std::size_t first = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    sniffed_ = first != std::string_view::npos;
    received_.streamed =
        sniffed_ && status() < 300 && std::string_view("deir:").find(bytes[first]) != std::string_view::npos;
  }
  if (received_.streamed) {
    events_.feed(bytes);
    const WireReply& reply = received_.stream;
    overflowed_ = read_ > limits_.stream_bytes || events_.pending() > limits_.body_bytes ||
                  reply.text.size() + reply.reasoning.size() > limits_.body_bytes;
  } else {
    received_.body += bytes;
    overflowed_ = read_ > limits_.body_bytes;
  }
  return !overflowed_;
}

Received Transfer::finish(CURLcode code) {
  if (overflowed_) {
    return take(Failure::too_large, fmt::format("more than {} bytes were not read", read_));
  }
  const std::string text = error_[0] != '\0' ? error_ : ::curl_easy_strerror(code);
  return take(failure_of(code, read_ > 0), fmt::format("curl {}: {}", static_cast<int>(code), text));
}

Received Transfer::give_up(Failure failure) {
  using std::chrono::duration;
  const auto seconds = [](auto time) { return duration<double>(time).count(); };
  std::string text = fmt::format("within {} s in all", seconds(timeouts_.total));
  if (failure == Failure::silent) {
    text = fmt::format("no byte within {} s", seconds(std::min(timeouts_.first_byte, timeouts_.total)));
  }
  if (failure == Failure::broken_off)
    text = fmt::format("no further byte for {} s", seconds(timeouts_.stall));
  return take(failure, text);
}

int Transfer::status() const {
  long status = 0;
  ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

Received Transfer::take(Failure failure, std::string text) {
  received_.status = status();
  if (received_.streamed && failure == Failure::none) events_.finish();
  received_.failure = failure;
  received_.failure_text = std::move(text);
  return std::move(received_);
}

}  // namespace kevolve::llm
