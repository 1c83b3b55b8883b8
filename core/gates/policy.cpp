#include "core/gates/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/gates/policy_words.hpp"
#include "core/gates/source_text.hpp"
#include "core/text/words.hpp"

namespace kevolve::gates {
namespace {

using Violations = std::vector<PolicyViolation>;
using Tokens = std::vector<Token>;

constexpr std::string_view kPlainly = "the source must read the same to a person and to the compiler";

void refuse_spelling(const std::string& mark, int line, Violations& out) {
  out.push_back({line, fmt::format("`{}`", mark), std::string(kPlainly), "write names out in full"});
}

bool is(const Tokens& tokens, std::size_t at, std::string_view text) {
  return at < tokens.size() && tokens[at].kind != Token::Kind::text && tokens[at].text == text;
}

void check_include(const Directive& directive, Violations& out) {
  const std::string& rest = directive.rest;
  constexpr std::string_view kInstead =
      "include only <cuda_runtime.h>, <cuda_fp16.h>, <cuda_bf16.h>, <cooperative_groups.h>, "
      "<math_constants.h>, "
      "<mma.h>, <cuda/std/…>, <cuda/barrier>, <cuda/pipeline>, <cuda/ptx> and their like, or nothing at all";
  const bool angle = rest.size() > 2 && rest.front() == '<' && rest.back() == '>';
  const bool quoted = rest.size() > 2 && rest.front() == '"' && rest.back() == '"';
  if (!angle && !quoted) {
    out.push_back({directive.line, fmt::format("`#include {}`", rest),
                   "the header's name must be written out", std::string(kInstead)});
  } else if (!header_allowed(rest.substr(1, rest.size() - 2))) {
    out.push_back({directive.line, fmt::format("`#include {}`", rest),
                   "this header is not among those a candidate may include", std::string(kInstead)});
  }
}

void check_directive(const Directive& directive, Violations& out) {
  static const std::set<std::string> kPlain{"define", "undef", "if",    "ifdef",   "ifndef", "elif",
                                            "else",   "endif", "error", "warning", ""};
  if (directive.mark == "%:") refuse_spelling(directive.mark, directive.line, out);
  if (directive.name == "include") return check_include(directive, out);
  if (directive.name == "pragma") {
    if (!pragma_allowed(directive.rest)) {
      out.push_back({directive.line, fmt::format("`#pragma {}`", directive.rest),
                     "compiler pragmas change how the source is judged",
                     "only #pragma unroll and once are for candidates"});
    }
    return;
  }
  if (kPlain.count(directive.name) == 0) {
    out.push_back({directive.line, fmt::format("`#{}`", directive.name),
                   "this directive is not for candidates", "remove it"});
  }
}

void forbid(const ForbiddenWord& rule, const Token& token, Violations& out) {
  out.push_back(
      {token.line, fmt::format("`{}`", token.text), std::string(rule.why), std::string(rule.instead)});
}

bool runtime_name(const std::string& word) {  // cudaMalloc, cuLaunchKernel; not cuComplex, cudaish
  const auto upper = [&](std::size_t i) {
    return word.size() > i && std::isupper(static_cast<unsigned char>(word[i])) != 0;
  };
  if (word.starts_with("cuda") && upper(4)) return !cuda_name_allowed(word);
  static const std::array<std::string_view, 8> kDriver{"cuMem",  "cuLaunch", "cuModule", "cuCtx",
                                                       "cuInit", "cuStream", "cuEvent",  "cuGraph"};
  return std::any_of(kDriver.begin(), kDriver.end(), [&](auto prefix) { return word.starts_with(prefix); });
}

void check_word(const Tokens& tokens, std::size_t at, Violations& out) {
  const Token& token = tokens[at];
  const bool member = at > 0 && (is(tokens, at - 1, ".") || is(tokens, at - 1, "->"));
  const bool called = is(tokens, at + 1, "(") && !member;
  for (const ForbiddenWord& rule : forbidden_words()) {
    if (token.text == rule.word && (rule.where == ForbiddenWord::Where::anywhere || called))
      forbid(rule, token, out);
  }
  if (runtime_name(token.text)) {
    out.push_back({token.line, fmt::format("`{}`", token.text),
                   "the CUDA host API and device-side launches are not for candidates",
                   "describe launches and scratch in the /*kevolve header"});
  }
  const bool deleted = token.text == "delete" && at > 0 && is(tokens, at - 1, "=");  // f(const T&) = delete
  if (token.text == "new" || (token.text == "delete" && !deleted)) {
    out.push_back({token.line, fmt::format("`{}`", token.text),
                   "device-side allocation keeps state between calls",
                   "declare a buffer under \"scratch\" in the header, or use shared memory"});
  }
  const bool standard = token.text == "std" && is(tokens, at + 1, "::") && at + 2 < tokens.size();
  if (standard && (tokens[at + 2].text == "thread" || tokens[at + 2].text == "async" ||
                   tokens[at + 2].text == "jthread")) {
    out.push_back({token.line, fmt::format("`std::{}`", tokens[at + 2].text),
                   "a candidate is device code only", "use CUDA's own blocks and threads"});
  }
}

/// __attribute__((…)) and [[gnu::…]]: only those that neither run code, nor place or hide it, nor change how
/// it is compiled.
void check_attribute(const Tokens& tokens, std::size_t at, Violations& out) {
  static const std::set<std::string> kHarmless{"aligned",  "always_inline", "const",
                                               "inline",   "may_alias",     "maybe_unused",
                                               "noinline", "pure",          "unused"};
  const bool old_style = tokens[at].text == "__attribute__";
  const bool new_style = is(tokens, at, "gnu") && is(tokens, at + 1, "::");
  if (!old_style && !new_style) return;
  int depth = 0;
  for (std::size_t i = at + (new_style ? 2 : 1); i < tokens.size() && !is(tokens, i, ";"); ++i) {
    if (is(tokens, i, "(")) ++depth;
    if (is(tokens, i, ")") && --depth == 0 && old_style) return;
    if (is(tokens, i, "]")) return;
    if (depth > (old_style ? 2 : 0) || tokens[i].kind != Token::Kind::word)
      continue;  // an attribute's arguments
    std::string word = tokens[i].text;
    if (word.size() > 4 && word.starts_with("__") && word.ends_with("__"))
      word = word.substr(2, word.size() - 4);
    if (kHarmless.count(word) == 0) {
      out.push_back({tokens[i].line, fmt::format("the attribute `{}`", tokens[i].text),
                     "it may run or place code outside the launch plan, or change how it is compiled",
                     "use CUDA's own qualifiers, such as __launch_bounds__ and __align__"});
      return;
    }
  }
}

/// The harness's own names, in any spelling.
bool names_the_harness(const std::string& word) {
  return lower(word).find("kevolve") != std::string::npos;
}

/// threadIdx.x = …: the built-in variables are constants.
void check_builtin_variable(const Tokens& tokens, std::size_t at, Violations& out) {
  static const std::set<std::string> kConstants{"threadIdx", "blockIdx", "blockDim", "gridDim", "warpSize"};
  if (kConstants.count(tokens[at].text) == 0) return;
  const std::size_t behind = is(tokens, at + 1, ".") ? at + 3 : at + 1;
  const bool assigned = is(tokens, behind, "=") && !is(tokens, behind + 1, "=");
  const bool changed = behind < tokens.size() && tokens[behind].kind == Token::Kind::mark &&
                       std::string_view("+-*/%&|^").find(tokens[behind].text) != std::string_view::npos &&
                       is(tokens, behind + 1, "=");
  if (!assigned && !changed) return;
  out.push_back({tokens[at].line, fmt::format("writing to `{}`", tokens[at].text),
                 "the built-in variables are constants", "copy it into a variable of your own"});
}

void check_tokens(const Tokens& tokens, Violations& out) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.kind == Token::Kind::word) {
      check_word(tokens, i, out);
      check_attribute(tokens, i, out);
      check_builtin_variable(tokens, i, out);
      if (names_the_harness(token.text)) {
        out.push_back({token.line, fmt::format("`{}`", token.text),
                       "names with 'kevolve' in them are the harness's own", "choose another name"});
      }
    } else if (token.kind == Token::Kind::text) {
      for (const ForbiddenText& rule : forbidden_texts()) {
        if (token.text.find(rule.text) == std::string::npos) continue;
        out.push_back({token.line, fmt::format("`{}` in a string", rule.text), std::string(rule.why),
                       std::string(rule.instead)});
      }
    } else if (token.text == "<<<") {
      out.push_back({token.line, "`<<<`", "launches belong to the harness",
                     "list them under \"launches\" in the header"});
    } else if (token.text == "##" || token.text == "%:") {
      refuse_spelling(token.text, token.line, out);
    } else if (token.text == "?" && is(tokens, i + 1, "?") && i + 2 < tokens.size() &&
               tokens[i + 1].line == token.line) {
      out.push_back({token.line, "a trigraph", std::string(kPlainly), "write the character itself"});
    }
  }
}

/// Follows braces to tell file scope from function bodies, and looks at each declaration at file scope.
class Scopes {
 public:
  Scopes(const SourceText& source, Violations& out) : tokens_(source.tokens), out_(out) {
    for (const Directive& directive : source.directives) read_macro(directive);
  }

  void check() {
    std::size_t begin = 0;
    while (begin < tokens_.size()) begin = declaration(begin);
    for (std::size_t i = 0; i < tokens_.size(); ++i) check_static(i);
  }

 private:
  void read_macro(const Directive& directive) {
    if (directive.name != "define" || directive.tokens.empty()) return;
    const std::string& name = directive.tokens.front().text;
    const bool function_like = directive.rest.size() > name.size() && directive.rest[name.size()] == '(';
    if (function_like) calls_.insert(name);
    for (const Token& token : directive.tokens) {
      if (device_.count(token.text) != 0 && token.kind == Token::Kind::word) {
        device_.insert(name);
        break;
      }
    }
  }

  /// Index behind the bracket that closes the one at `at`.
  [[nodiscard]] std::size_t behind(std::size_t at) const {
    int depth = 0;
    for (; at < tokens_.size(); ++at) {
      if (tokens_[at].kind != Token::Kind::mark) continue;
      const std::string& mark = tokens_[at].text;
      if (mark == "(" || mark == "{" || mark == "[") ++depth;
      if ((mark == ")" || mark == "}" || mark == "]") && --depth <= 0) return at + 1;
    }
    return at;
  }

  /// Reads one declaration at file scope; returns the index behind it.
  std::size_t declaration(std::size_t begin) {
    static const std::set<std::string> kAttributes{"__align__",         "alignas",       "__attribute__",
                                                   "__launch_bounds__", "decltype",      "__cluster_dims__",
                                                   "__maxnreg__",       "__block_size__"};
    std::set<std::string> words;
    bool parentheses = false, braces = false, value = false, named_after_braces = false;
    std::size_t at = begin;
    while (at < tokens_.size() && !is(tokens_, at, ";")) {
      const Token& token = tokens_[at];
      if (is(tokens_, at, "}")) return at + 1;  // end of a namespace
      if (is(tokens_, at, "{")) {
        if (words.count("namespace") != 0 || opens_linkage(begin, at)) return at + 1;
        braces = true;
        at = behind(at);
        if (parentheses && !value) break;  // a function's body
        continue;
      }
      if (is(tokens_, at, "(") || is(tokens_, at, "[")) {
        const bool attribute = at > begin && kAttributes.count(tokens_[at - 1].text) != 0;
        parentheses = parentheses || (is(tokens_, at, "(") && !attribute && !value);
        const bool macro_call = at == begin + 1 && calls_.count(tokens_[begin].text) != 0;
        at = behind(at);
        if (macro_call) return is(tokens_, at, ";") ? at + 1 : at;  // a macro invoked at file scope
        continue;
      }
      if (is(tokens_, at, "=")) value = true;
      if (token.kind == Token::Kind::word) {
        if (!value) words.insert(token.text);
        named_after_braces = named_after_braces || (braces && !value);
      }
      ++at;
    }
    check_declaration(tokens_[begin], words, parentheses, braces, named_after_braces);
    return is(tokens_, at, ";") ? at + 1 : at;
  }

  [[nodiscard]] bool opens_linkage(std::size_t begin, std::size_t brace) const {
    return brace == begin + 2 && is(tokens_, begin, "extern") && tokens_[begin + 1].kind == Token::Kind::text;
  }

  void check_declaration(const Token& first, const std::set<std::string>& words, bool parentheses,
                         bool braces, bool named) {
    const auto any = [&](std::initializer_list<const char*> of) {
      return std::any_of(of.begin(), of.end(), [&](const char* word) { return words.count(word) != 0; });
    };
    const bool device =
        std::any_of(words.begin(), words.end(), [&](const auto& w) { return device_.count(w) != 0; });
    if (words.empty() || any({"using", "typedef", "static_assert", "concept", "friend", "asm", "namespace"}))
      return;
    const bool type = any({"struct", "class", "union", "enum"}) && !parentheses;
    if (type && !(braces && named)) return;
    if (parentheses) {
      if (device || any({"constexpr", "consteval", "struct", "class"})) return;
      out_.push_back({first.line, fmt::format("the declaration that starts with `{}`", first.text),
                      "a function that is neither __global__ nor __device__ is host code",
                      "mark it __device__, or remove it"});
      return;
    }
    if (any({"const", "constexpr", "__constant__", "__shared__"})) return;
    out_.push_back({first.line,
                    fmt::format("a writable global (the declaration that starts with `{}`)", first.text),
                    "state that survives a call lets a kernel replay an old answer",
                    "declare a buffer under \"scratch\" in the header, or make it const"});
  }

  /// `static` inside a function keeps state between calls.
  void check_static(std::size_t at) {
    if (!is(tokens_, at, "static")) return;
    if (at == 0 || is(tokens_, at - 1, ";") || is(tokens_, at - 1, "{") || is(tokens_, at - 1, "}") ||
        is(tokens_, at - 1, ")")) {
      if (depth_at(at) == 0) return;
      for (std::size_t i = at + 1; i < tokens_.size(); ++i) {
        if (is(tokens_, i, "const") || is(tokens_, i, "constexpr") || is(tokens_, i, "__shared__")) return;
        if (is(tokens_, i, "(") || device_.count(tokens_[i].text) != 0) return;  // a member function
        if (is(tokens_, i, ";") || is(tokens_, i, "=") || is(tokens_, i, "{")) break;
      }
      out_.push_back({tokens_[at].line, "a writable `static` variable in a function",
                      "state that survives a call lets a kernel replay an old answer",
                      "use a local variable, shared memory, or scratch"});
    }
  }

  [[nodiscard]] int depth_at(std::size_t at) const {
    int depth = 0;
    for (std::size_t i = 0; i < at; ++i) depth += is(tokens_, i, "{") ? 1 : is(tokens_, i, "}") ? -1 : 0;
    return depth;
  }

  const Tokens& tokens_;
  Violations& out_;
  std::set<std::string> device_{"__device__", "__global__"};
  std::set<std::string> calls_;
};

}  // namespace

std::vector<PolicyViolation> policy_violations(std::string_view source) {
  Violations out;
  const SourceText text = read_source(source);
  if (!text.closed) {
    out.push_back({1, "a comment or a literal that never ends", "what follows cannot be read", "close it"});
  }
  for (const CudaDoubt& doubt : text.doubts) {
    out.push_back({doubt.line, std::string(doubt.what), "compilers read it in different ways", "remove it"});
  }
  for (const Directive& directive : text.directives) {
    check_directive(directive, out);
    check_tokens(directive.tokens, out);
  }
  check_tokens(text.tokens, out);
  Scopes(text, out).check();
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

std::optional<Verdict> check_policy(std::string_view source) {
  constexpr std::size_t kShown = 5;
  const Violations violations = policy_violations(source);
  if (violations.empty()) return std::nullopt;
  std::string evidence;
  for (std::size_t i = 0; i < std::min(kShown, violations.size()); ++i) {
    const PolicyViolation& v = violations[i];
    evidence += fmt::format("{}Line {}: {} is refused: {}; {}.", i == 0 ? "" : "\n", v.line, v.what, v.why,
                            v.instead);
  }
  if (violations.size() > kShown) evidence += fmt::format("\nAnd {} more.", violations.size() - kShown);
  return Verdict{Outcome::policy_violation, Gate::policy, evidence};
}

}  // namespace kevolve::gates
