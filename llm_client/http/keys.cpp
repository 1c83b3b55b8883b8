#include "llm_client/http/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

#include "core/text/words.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kGram = 8;
constexpr std::size_t kNoWord = 16;  // a key this long is nothing that a model writes by chance
constexpr std::string_view kMark = "[key]";

Result<std::string> checked(std::string_view raw, const std::string& what) {
  std::string key(trimmed(raw));
  if (key.empty()) return failure(what + " is empty; expected the key");
  const auto odd = [](unsigned char c) { return c <= ' ' || c >= 0x7f; };
  if (std::any_of(key.begin(), key.end(), odd)) {
    return failure(what +
                   " holds blanks, control characters or characters beyond ASCII; expected the key and "
                   "nothing else, on one line");
  }
  return key;
}

void remove_from_environment(const std::string& name) {
  // Where the value stands is what /proc/self/environ shows; unsetenv alone would leave it there.
  if (char* value = std::getenv(name.c_str()); value != nullptr) ::explicit_bzero(value, std::strlen(value));
  ::unsetenv(name.c_str());
}

Result<std::string> read_key_file(const EndpointSettings& endpoint) {
  auto text = read_text_file(endpoint.key.file);
  if (!text) return failure(text.error());
  return checked(*text, fmt::format("the key file {}", endpoint.key.file));
}

Result<std::string> read_key(const EndpointSettings& endpoint) {
  if (!endpoint.key.file.empty()) return read_key_file(endpoint);
  const char* value = std::getenv(endpoint.key.env.c_str());
  if (value == nullptr) {
    return failure(fmt::format("the environment variable {} is not set; expected it to hold the key of {}",
                               endpoint.key.env, endpoint.url));
  }
  return checked(value, fmt::format("the environment variable {}", endpoint.key.env));
}

// As inside a longer base64 text, where `offset` characters stand before the key: only what the key decides.
std::string base64_within(std::string_view key, std::size_t offset) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string bytes = std::string(offset, '\0') + std::string(key);
  std::string text;
  unsigned bits = 0, held = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8U) | byte;
    for (held += 8; held >= 6; held -= 6) text += kDigits[(bits >> (held - 6)) & 63U];
  }
  const std::size_t undecided[] = {0, 2, 3};
  return text.substr(undecided[offset]);
}

void replace_all(std::string& text, const std::string& what) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += kMark.size()) {
    text.replace(at, what.size(), kMark);
  }
}

}  // namespace

Result<KeyRing> read_keys(const ModelsFile& file, const std::set<std::string>& endpoints) {
  KeyRing keys;
  for (const std::string& name : endpoints) {
    const EndpointSettings& endpoint = file.endpoints.at(name);
    if (endpoint.key.env.empty() && endpoint.key.file.empty()) {
      keys[name];
      continue;
    }
    auto key = read_key(endpoint);
    if (!key) return failure(key.error().in(fmt::format("endpoint {}", name)));
    keys[name] = std::move(*key);
  }
  return keys;
}

Result<KeyRing> take_keys(const ModelsFile& file, const std::set<std::string>& endpoints) {
  Result<KeyRing> keys = read_keys(file, endpoints);
  // Also those of endpoints that are not in use: no child needs them either.
  for (const auto& [name, endpoint] : file.endpoints) {
    if (!endpoint.key.env.empty()) remove_from_environment(endpoint.key.env);
  }
  return keys;
}

TakenKeys TakenKeys::take(const ModelsFile& file) {
  TakenKeys taken;
  for (const auto& [name, endpoint] : file.endpoints) {
    if (endpoint.key.env.empty()) continue;
    if (const char* value = std::getenv(endpoint.key.env.c_str()); value != nullptr)
      taken.values_[{endpoint.key.env, endpoint.url}] = value;
  }
  for (const auto& [name, endpoint] : file.endpoints) {
    if (!endpoint.key.env.empty()) remove_from_environment(endpoint.key.env);
  }
  return taken;
}

const std::string* TakenKeys::find(const EndpointSettings& endpoint) const {
  const auto found = values_.find({endpoint.key.env, endpoint.url});
  return found == values_.end() ? nullptr : &found->second;
}

Result<KeyRing> look_up_keys(const ModelsFile& file, const std::set<std::string>& endpoints,
                             const TakenKeys& taken) {
  KeyRing keys;
  for (const std::string& name : endpoints) {
    const EndpointSettings& endpoint = file.endpoints.at(name);
    Result<std::string> key;
    if (!endpoint.key.file.empty()) {
      key = read_key_file(endpoint);
    } else if (!endpoint.key.env.empty()) {
      const std::string* value = taken.find(endpoint);
      key = value == nullptr
                ? failure(fmt::format("no key was taken for {} from the environment variable {} when the "
                                      "service started: it must be set then, and the service's own models "
                                      "file must name it for that URL; or use a key file",
                                      endpoint.url, endpoint.key.env))
                : checked(*value, fmt::format("the environment variable {}", endpoint.key.env));
    }
    if (!key) return failure(key.error().in(fmt::format("endpoint {}", name)));
    keys[name] = std::move(*key);
  }
  return keys;
}

Redactor::Redactor(const KeyRing& keys) {
  for (const auto& [endpoint, key] : keys) {
    if (key.empty()) continue;
    keys_.push_back(key);
    whole_.push_back(key);
    whole_.push_back(percent_encoded(key));
    for (std::size_t offset = 0; offset < 3 && key.size() >= kGram; ++offset) {
      whole_.push_back(base64_within(key, offset));
    }
    for (std::size_t at = 0; at + kGram <= key.size(); ++at) grams_.insert(key.substr(at, kGram));
  }
  const auto longer = [](const std::string& a, const std::string& b) { return a.size() > b.size(); };
  std::stable_sort(whole_.begin(), whole_.end(), longer);
}

std::string Redactor::whole_keys(std::string_view text) const {
  std::string safe(text);
  for (const std::string& form : whole_) {
    if (form.size() >= kNoWord) replace_all(safe, form);
  }
  return safe;
}

std::string Redactor::operator()(std::string_view text) const {
  if (keys_.empty()) return std::string(text);
  std::string whole(text);
  for (const std::string& form : whole_) replace_all(whole, form);

  std::vector<bool> hidden(whole.size(), false);
  for (std::size_t at = 0; at + kGram <= whole.size(); ++at) {
    if (grams_.find(std::string_view(whole).substr(at, kGram)) == grams_.end()) continue;
    std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), kGram, true);
  }
  // "sk-ab***yz": a word with three asterisks or more is hidden as a whole.
  for (std::size_t at = whole.find("***"); at != std::string::npos; at = whole.find("***", at + 1)) {
    const auto in_word = [&](std::size_t i) {
      const auto c = static_cast<unsigned char>(whole[i]);
      return std::isalnum(c) != 0 || c == '*' || c == '-' || c == '_' || c == '.';
    };
    std::size_t first = at, last = at;
    while (first > 0 && in_word(first - 1)) --first;
    while (last < whole.size() && in_word(last)) ++last;
    std::fill(hidden.begin() + static_cast<std::ptrdiff_t>(first),
              hidden.begin() + static_cast<std::ptrdiff_t>(last), true);
    at = last;
    if (at >= whole.size()) break;
  }
  std::string safe;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (!hidden[at])
      safe += whole[at];
    else if (at == 0 || !hidden[at - 1])
      safe += kMark;
  }
  return safe;
}

}  // namespace kevolve::llm
