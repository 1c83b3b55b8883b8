#include "llm_client/http/post_json.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

namespace kevolve::llm {
namespace {

struct EasyDeleter {
  void operator()(CURL* easy) const { ::curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

}  // namespace

Result<void> post_json(const std::string& url, const std::string& body, std::chrono::milliseconds timeout) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return failure("the webhook's URL begins neither with https:// nor with http://");
  if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return failure("libcurl cannot be initialised");
  const std::unique_ptr<CURL, EasyDeleter> easy(::curl_easy_init());
  if (!easy) return failure("libcurl cannot be initialised");
  std::unique_ptr<curl_slist, ListDeleter> headers(
      ::curl_slist_append(nullptr, "Content-Type: application/json"));
  headers.reset(::curl_slist_append(headers.release(), "Expect:"));
  ::curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  ::curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.data());
  ::curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  ::curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  ::curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, "kevolve");
  ::curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &ignore);
  const CURLcode code = ::curl_easy_perform(easy.get());
  // Not the error buffer: it names hosts and paths.
  if (code != CURLE_OK) return failure(fmt::format("the webhook: {}", ::curl_easy_strerror(code)));
  long status = 0;
  ::curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299)
    return failure(fmt::format("the webhook answered with status {}", status));
  return {};
}

}  // namespace kevolve::llm
