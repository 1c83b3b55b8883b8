#include "llm_client/replies/code_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/model/candidate.hpp"
#include "core/text/cuda_text.hpp"
#include "core/text/json.hpp"
#include "llm_client/replies/lenient_json.hpp"

namespace kevolve::llm {
namespace {

constexpr std::string_view kSpace = " \t\n";

std::size_t skip(std::string_view text, std::size_t at, std::string_view characters) {
  return std::min(text.find_first_not_of(characters, at), text.size());
}

/// "kevolve" in any case at `at`.
bool named_here(std::string_view text, std::size_t at) {
  constexpr std::string_view kName = "kevolve";
  if (text.size() - at < kName.size()) return false;
  return std::equal(kName.begin(), kName.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char wanted, char c) { return c == wanted || c == wanted - 'a' + 'A'; });
}

}  // namespace

std::optional<Marker> next_marker(std::string_view text, std::size_t from) {
  for (std::size_t open = text.find("/*", from); open != std::string_view::npos;
       open = text.find("/*", open + 2)) {
    const std::size_t name = skip(text, skip(text, open + 1, "*"), kSpace);
    if (!named_here(text, name)) continue;
    std::size_t json = skip(text, name + 7, kSpace);
    if (json < text.size() && text[json] == ':') json = skip(text, json + 1, kSpace);
    if (json < text.size() && text[json] == '{') return Marker{open, json};
  }
  return std::nullopt;
}

std::string with_strict_header(std::string_view source) {
  const std::optional<Marker> marker = next_marker(source, 0);
  if (!marker || marker->begin != 0) return std::string(source);
  const std::string plain = "/*kevolve\n" + std::string(source.substr(marker->json));
  const bool as_it_must_be = source.starts_with("/*kevolve") && skip(source, 9, kSpace) == marker->json;
  const std::string kept = as_it_must_be ? std::string(source) : plain;
  if (const auto header = header_text(kept); header && parse_json(*header, "header")) return kept;
  const auto json = lenient_json(source, marker->json);
  if (!json || !parse_json(json->strict, "header")) return kept;
  std::size_t rest = skip(source, json->end, kSpace);
  if (!source.substr(rest).starts_with("*/")) {
    const std::size_t end = source.find("*/", json->end), next = source.find("/*", json->end);
    if (end != std::string_view::npos && (next == std::string_view::npos || end < next)) return kept;
    return "/*kevolve\n" + json->strict + "\n*/" + std::string(source.substr(json->end));
  }
  return "/*kevolve\n" + json->strict + std::string(source.substr(json->end));
}

std::size_t header_end(std::string_view source) {
  const std::size_t end = source.find("*/", std::min<std::size_t>(2, source.size()));
  return end == std::string_view::npos ? end : end + 2;
}

CodeShape shape_of(std::string_view code) {
  CodeShape shape;
  for (const CudaToken& token : read_cuda_text(code)) {
    if (token.kind == CudaToken::Kind::comment) shape.inside_comment = !token.closed;
    if (token.in_directive) {
      if (shape.open_braces <= 0) shape.code_end = token.end;
      continue;
    }
    if (token.kind == CudaToken::Kind::word && spelled(code, token) == "__global__") shape.has_kernel = true;
    if (token.kind != CudaToken::Kind::symbol) continue;
    const std::string symbol = meaning(code, token);
    if (symbol == "{") ++shape.open_braces;
    if (symbol != "}" || --shape.open_braces > 0) continue;
    const std::size_t next = skip(code, token.end, " \t");
    shape.code_end = next < code.size() && code[next] == ';' ? next + 1 : token.end;
  }
  return shape;
}

std::optional<std::string> html_unescaped(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kEntities = {{{"&lt;", "<"},
                                                                                       {"&gt;", ">"},
                                                                                       {"&amp;", "&"},
                                                                                       {"&quot;", "\""},
                                                                                       {"&#39;", "'"},
                                                                                       {"&#x27;", "'"},
                                                                                       {"&apos;", "'"},
                                                                                       {"&nbsp;", " "}}};
  if (code.find_first_of("<>") != std::string_view::npos || code.find('&') == std::string_view::npos)
    return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < code.size();) {
    if (code[at] != '&') {
      out += code[at++];
      continue;
    }
    const auto found = std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& entity) {
      return code.substr(at).starts_with(entity.first);
    });
    if (found == kEntities.end()) return std::nullopt;
    out += found->second;
    at += found->first.size();
  }
  return out;
}

}  // namespace kevolve::llm
