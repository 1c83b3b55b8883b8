#pragma once
// Transfer: one HTTP request under way in libcurl, and what has arrived of its answer. One thread: that of
// the curl_multi handle it is added to; destroyed only after it was removed there.

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "llm_client/http/answer.hpp"
#include "llm_client/http/event_stream.hpp"
#include "llm_client/http/transfer_limits.hpp"

namespace kevolve::llm {

struct CurlEasyDeleter {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};

class Transfer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `body`: the JSON text. `headers`: whole lines, the key among them.
  Transfer(const EndpointSettings& endpoint, const Wire& wire, std::string body,
           const std::vector<std::string>& headers, const AnswerLimits& limits);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] CURL* handle() const { return easy_.get(); }
  /// Its time begins.
  void start(Time now);
  /// When it is to be given up unless something arrives, and as what.
  struct Deadline {
    Time at;
    Failure failure;
  };
  [[nodiscard]] Deadline deadline() const;
  [[nodiscard]] Time started() const { return started_; }

  /// What arrived, once libcurl said how it ended.
  Received finish(CURLcode code);
  /// The same, when the deadline ended it.
  Received give_up(Failure failure);

 private:
  void set_up(const EndpointSettings& endpoint);
  void set_callbacks();
  [[nodiscard]] int status() const;
  Received take(Failure failure, std::string text);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  void header_line(std::string_view line);
  bool body_bytes(std::string_view bytes);

  const Wire& wire_;
  const Timeouts timeouts_;
  const AnswerLimits limits_;
  std::string body_;
  std::unique_ptr<curl_slist, CurlListDeleter> headers_;
  Received received_;
  EventStream events_;
  std::size_t read_ = 0;
  bool overflowed_ = false, sniffed_ = false;
  Time started_{}, last_byte_{};
  char error_[CURL_ERROR_SIZE] = {};
  std::unique_ptr<CURL, CurlEasyDeleter> easy_;  // last: its cleanup may still use the buffers above
};

}  // namespace kevolve::llm
