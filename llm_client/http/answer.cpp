#include "llm_client/http/answer.hpp"

#include <fmt/format.h>

#include <cctype>

namespace kevolve::llm {
namespace {

constexpr std::size_t kExcerpt = 240;

bool is_markup(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && body[first] == '<';
}

std::string said(std::string_view text) {
  const std::string shown = excerpt(text);
  return shown.empty() ? "" : fmt::format(": {}", shown);
}

// "https://host:port" of an address: the rest of a redirect's may hold anything.
std::string host_of(const std::string& address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string::npos) return "another path of the same server";
  return address.substr(0, address.find_first_of("/?#", scheme + 3));
}

std::string status_text(int status, const ServerError& error, const Headers& headers) {
  if (status >= 300 && status < 400) {
    const auto location = headers.find("location");
    const std::string target = location == headers.end() ? "nowhere" : host_of(location->second);
    return fmt::format(
        "HTTP {}: redirected to {}; redirects are not followed, so that the key goes nowhere else", status,
        target);
  }
  std::string kind = error.code.empty() ? error.type : error.code;
  if (!kind.empty()) kind = fmt::format(" ({})", excerpt(kind));
  return fmt::format("HTTP {}{}{}", status, kind, said(error.message));
}

void read_refusal(const Wire& wire, const Received& received, HttpAnswer& answer) {
  const Json body = Json::parse(received.body, nullptr, false);
  ServerError error;
  if (received.streamed && received.stream.error) {
    error = *received.stream.error;
  } else if (!body.is_discarded()) {
    error = wire.read(body).error.value_or(ServerError{excerpt(received.body), "", "", "", 0});
  } else {
    error.message = excerpt(received.body);
  }
  answer.what = status_text(received.status, error, received.headers);
  answer.attempt.error = std::move(error);
}

void read_stream(const Received& received, HttpAnswer& answer) {
  answer.reply = received.stream;
  if (answer.reply.error) {
    answer.attempt.error = answer.reply.error;
    answer.what =
        fmt::format("an error in the middle of the stream{}{}",
                    answer.reply.error->type.empty() ? "" : " (" + excerpt(answer.reply.error->type) + ")",
                    said(answer.reply.error->message));
  } else if (!answer.reply.ended || !answer.reply.broken.empty()) {
    answer.attempt.failure = Failure::broken_off;
    answer.what = answer.reply.broken.empty()
                      ? "the stream ends before its end mark"
                      : fmt::format("the stream cannot be read: {}", answer.reply.broken);
  }
}

void read_body(const Wire& wire, const Received& received, HttpAnswer& answer) {
  const Json body = Json::parse(received.body, nullptr, false);
  if (body.is_discarded()) {
    const std::size_t first = received.body.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || received.body[first] == '{') {
      answer.attempt.failure = Failure::broken_off;
      answer.what = first == std::string::npos ? "the body is empty" : "the body is JSON that breaks off";
    } else {
      answer.attempt.foreign = true;
      answer.what = fmt::format("{} came instead of a reply{}",
                                is_markup(received.body) ? "a web page" : "other text", said(received.body));
    }
    return;
  }
  answer.reply = wire.read(body);
  if (answer.reply.error) {
    answer.attempt.error = answer.reply.error;
    answer.what = fmt::format("an error in an HTTP 200{}", said(answer.reply.error->message));
  } else if (!answer.reply.broken.empty()) {
    answer.attempt.foreign = true;
    answer.what =
        fmt::format("the body is no reply of this API: {}{}", answer.reply.broken, said(received.body));
  }
}

}  // namespace

std::string excerpt(std::string_view body) {
  std::string text;
  bool in_tag = false;
  const bool markup = is_markup(body);
  for (const char c : body) {
    if (text.size() >= kExcerpt) break;
    if (markup && c == '<') in_tag = true;
    const bool blank = in_tag || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (markup && c == '>') in_tag = false;
    if (!blank) text += c;
    if (blank && !text.empty() && text.back() != ' ') text += ' ';
  }
  if (text.size() >= kExcerpt) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0x80) text.pop_back();
    return text + "…";
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

HttpAnswer read_answer(const Wire& wire, const Received& received) {
  HttpAnswer answer;
  answer.attempt.failure = received.failure;
  answer.attempt.status = received.status;
  const bool good = received.status >= 200 && received.status < 300;
  answer.attempt.answered = good && (!received.body.empty() || received.streamed);
  if (good) answer.attempt.status = 200;
  if (received.status != 0 && !good) {  // a refusal counts as one even when its body breaks off
    answer.attempt.failure = Failure::none;
    read_refusal(wire, received, answer);
    return answer;
  }
  // All had come before the connection failed.
  const bool complete = received.streamed && received.stream.ended && !received.stream.error;
  if (received.failure == Failure::none || complete) {
    answer.attempt.failure = Failure::none;
    received.streamed ? read_stream(received, answer) : read_body(wire, received, answer);
    return answer;
  }
  answer.reply = received.stream;
  answer.what = fmt::format("{} ({})", name(received.failure), excerpt(received.failure_text));
  return answer;
}

std::string advice(const HttpAttempt& attempt, const EndpointSettings& endpoint, const ModelSettings& model) {
  if (attempt.failure == Failure::tls_untrusted || attempt.failure == Failure::tls_handshake) {
    return endpoint.ca_file.empty()
               ? "install the authority that signed the certificate, or name its PEM file as the endpoint's "
                 "'ca_file'"
               : fmt::format("check that {} holds the authority that signed the certificate",
                             endpoint.ca_file);
  }
  if (attempt.failure == Failure::misconfigured || attempt.foreign ||
      (attempt.status >= 300 && attempt.status < 400)) {
    return "check the endpoint's 'url', and whether a proxy (https_proxy, no_proxy) stands between";
  }
  if (attempt.failure == Failure::too_large) return "check what the endpoint's 'url' leads to";
  if (attempt.status == 401 || attempt.status == 403) {
    if (!endpoint.key.env.empty())
      return fmt::format("check the key in the environment variable {}", endpoint.key.env);
    if (!endpoint.key.file.empty()) return fmt::format("check the key in the file {}", endpoint.key.file);
    return "the endpoint has no 'key' in the models file; it may want one";
  }
  if (attempt.status == 404) {
    return fmt::format("check the endpoint's 'url' and that it serves the model \"{}\"", model.model);
  }
  if (attempt.status == 413)
    return "the prompt is too large for this server: set the model's 'max_prompt_characters'";
  return "";
}

}  // namespace kevolve::llm
