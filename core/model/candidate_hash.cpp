// Content addresses. The normalised source drops what cannot change the compiled kernel: comments, the
// header's prose, and the amount of white space. Line ends survive where the preprocessor sees them.

#include <fmt/format.h>

#include "core/model/candidate.hpp"
#include "core/text/cuda_text.hpp"
#include "core/text/sha256.hpp"

namespace kevolve {
namespace {

// The source without comments and splices, and with what separates two tokens as one space, or as one line
// end where it ends or starts a preprocessor directive.
std::string code_of(std::string_view source) {
  std::string code;
  bool space = false, newline = false, directive = false;  // since the last token; of the last token
  for (const CudaToken& token : read_cuda_text(source)) {
    if (separates(token)) {
      space = space || token.kind != CudaToken::Kind::splice;
      newline = newline || token.kind == CudaToken::Kind::line_end;
      continue;
    }
    if (space && !code.empty()) code += newline && (directive || token.starts_directive) ? '\n' : ' ';
    code += spelled(source, token);
    space = newline = false;
    directive = token.in_directive;
  }
  return code;
}

// A program that can see its own line numbers or rebuild tokens may depend on what was dropped; and where
// compilers disagree about line ends, in raw strings or with digraphs, the normalisation would guess.
bool reads_its_own_layout(std::string_view source, std::string_view code) {
  for (std::string_view sign : {"__LINE__", "__builtin_LINE", "source_location", "##", "%:", "R\""}) {
    if (code.find(sign) != std::string_view::npos) return true;
  }
  for (std::string_view sign : {"\\ ", "\\\t", "\\\f", "\\\v"}) {
    if (source.find(sign) != std::string_view::npos) return true;
  }
  for (std::size_t i = source.find('\r'); i != std::string_view::npos; i = source.find('\r', i + 1)) {
    if (source.substr(i + 1, 1) != "\n") return true;
  }
  return false;
}

// What of the source decides the compiled kernel and its launch.
std::string normalised(std::string_view source) {
  const Result<std::string> header = header_text(source);
  if (!header) return std::string(source);
  Result<Json> json = parse_json(*header, "header");
  if (!json || !json->is_object()) return std::string(source);
  json->erase("idea");
  json->erase("playbook");
  const std::string code = code_of(source);
  // Through the unordered type: the order in which the header's keys were written does not matter.
  return nlohmann::json(*json).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" +
         (reads_its_own_layout(source, code) ? std::string(source) : code);
}

}  // namespace

std::string candidate_hash(std::string_view source, const Bindings& tunables) {
  std::string text = normalised(source) + "\n";
  for (const auto& [name, value] : tunables) text += fmt::format("{}={}\n", name, value);
  return sha256_hex(text);
}

}  // namespace kevolve
