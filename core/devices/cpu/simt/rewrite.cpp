#include "core/devices/cpu/simt/rewrite.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/devices/cpu/simt/rewrite_scanner.hpp"
#include "core/text/cuda_characters.hpp"

namespace kevolve::simt {
namespace {

using Kind = Token::Kind;

/// Replaces [begin, end) of the source; an insertion where both are equal.
struct Edit {
  std::size_t begin, end;
  std::string text;
};

/// A shared declaration at file scope: each function that uses one of the names gets the reference.
struct FileScopeName {
  std::string name;
  std::string reference;
};

bool is(const Token& token, std::string_view text) {
  return token.text == text;
}

bool is_attribute(const Token& token) {
  return is(token, "alignas") || is(token, "__align__") || is(token, "__attribute__");
}

int bracket_step(const Token& token) {
  if (token.kind != Kind::symbol) return 0;
  const char c = token.text[0];
  return c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view source) : source_(source) {}

  std::string run() {
    rewrite(scan(source_), 0, false);
    std::stable_sort(edits_.begin(), edits_.end(),
                     [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
    std::string result;
    std::size_t at = 0;
    for (const Edit& edit : edits_) {
      result += source_.substr(at, edit.begin - at);
      result += edit.text;
      at = edit.end;
    }
    return result += source_.substr(at);
  }

 private:
  enum class Scope { file, function, opaque };
  using Tokens = std::vector<Token>;

  /// `offset`: of the scanned text in the source. `in_macro`: it is the body of a macro.
  void rewrite(const Tokens& tokens, std::size_t offset, bool in_macro) {
    std::vector<Scope> scopes{in_macro ? Scope::function : Scope::file};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (token.kind == Kind::directive) {
        rewrite_macro_body(token, offset);
      } else if (is(token, "{")) {
        scopes.push_back(scopes.back() == Scope::file ? classify(tokens, i) : scopes.back());
        if (scopes.back() == Scope::function && scopes[scopes.size() - 2] == Scope::file)
          inject(tokens, i, offset);
      } else if (is(token, "}") && scopes.size() > 1) {
        scopes.pop_back();
      } else if (is(token, "__constant__")) {
        single_const(tokens, i, offset);
      } else if (is(token, "__shared__")) {
        const std::optional<std::size_t> end = statement_end(tokens, i);
        if (!end) continue;
        declare(tokens, statement_begin(tokens, i), *end, offset, scopes.back() == Scope::file);
        i = *end;
      }
    }
  }

  void rewrite_macro_body(const Token& directive, std::size_t offset) {
    const Tokens tokens = scan(directive.text, false);
    if (std::none_of(tokens.begin(), tokens.end(), [](const Token& t) { return is(t, "__shared__"); }))
      return;
    if (tokens.size() < 3 || !is(tokens[1], "define")) return;
    // The parameters belong to the head when the parenthesis touches the name.
    std::size_t body = 3;
    if (tokens.size() > 3 && is(tokens[3], "(") &&
        behind_splices(directive.text, tokens[2].end) == tokens[3].begin) {
      while (body < tokens.size() && !is(tokens[body], ")")) ++body;
      ++body;
    }
    if (body >= tokens.size()) return;
    const std::size_t begin = tokens[body].begin;
    rewrite(scan(std::string_view(directive.text).substr(begin), false), offset + directive.begin + begin,
            true);
  }

  static std::size_t statement_begin(const Tokens& tokens, std::size_t i) {
    int depth = 0;
    while (i > 0) {
      const Token& before = tokens[i - 1];
      if (before.kind == Kind::directive) break;
      if (depth == 0 && (is(before, ";") || is(before, "{") || is(before, "}"))) break;
      depth -= bracket_step(before);
      if (depth < 0) break;
      --i;
    }
    return i;
  }

  static std::optional<std::size_t> statement_end(const Tokens& tokens, std::size_t i) {
    int depth = 0;
    for (; i < tokens.size(); ++i) {
      if (tokens[i].kind == Kind::directive) return std::nullopt;
      if (depth == 0 && is(tokens[i], ";")) return i;
      depth += bracket_step(tokens[i]);
      if (depth < 0) return std::nullopt;
    }
    return std::nullopt;
  }

  /// What the brace at `brace`, at file or namespace scope, opens.
  static Scope classify(const Tokens& tokens, std::size_t brace) {
    bool call = false, type = false;
    int depth = 0, angles = 0;
    for (std::size_t i = statement_begin(tokens, brace); i < brace; ++i) {
      const Token& token = tokens[i];
      if (depth == 0 && angles == 0) {
        if (is(token, "namespace") || (is(token, "extern") && is(tokens[i + 2], "{"))) return Scope::file;
        if (is(token, "=")) return Scope::opaque;
        if (is(token, "struct") || is(token, "class") || is(token, "union") || is(token, "enum")) type = true;
        if (is(token, "(") && i > 0 && !is_attribute(tokens[i - 1]) &&
            !is(tokens[i - 1], "__launch_bounds__"))
          call = true;
      }
      depth += bracket_step(token);
      if (depth == 0 && is(token, "<")) ++angles;
      if (depth == 0 && is(token, ">") && angles > 0) --angles;
    }
    if (call) return Scope::function;
    return type ? Scope::file : Scope::opaque;
  }

  void inject(const Tokens& tokens, std::size_t brace, std::size_t offset) {
    int depth = 0;
    std::size_t end = brace;
    do depth += bracket_step(tokens[end++]);
    while (end < tokens.size() && depth > 0);
    std::string text;
    for (const FileScopeName& shared : file_scope_) {
      const auto used = [&](const Token& token) {
        return token.kind == Kind::word && token.text == shared.name;
      };
      if (std::any_of(tokens.begin() + static_cast<std::ptrdiff_t>(brace),
                      tokens.begin() + static_cast<std::ptrdiff_t>(end), used)) {
        text += " " + shared.reference;
      }
    }
    if (!text.empty()) insert(offset + tokens[brace].end, text);
  }

  /// The names that a declaration's tokens [begin, end) declare.
  static std::vector<const Token*> declared_names(const Tokens& tokens, std::size_t begin, std::size_t end) {
    std::vector<const Token*> names;
    const Token* last = nullptr;
    bool done = false;  // the name of the present declarator is known: brackets or an initialiser follow
    int depth = 0, angles = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Token& token = tokens[i];
      if (depth == 0 && angles == 0 && !done) {
        if (token.kind == Kind::word && !is_attribute(token)) last = &token;
        if (is(token, "[") || is(token, "=")) done = true;
        if (is(token, "(") && !is_attribute(tokens[i - 1]) && i + 2 < end) {  // float (*pointer)[4]
          last = &tokens[i + 2];
          done = true;
        }
      }
      if (depth == 0 && angles == 0 && is(token, ",")) {
        if (last != nullptr) names.push_back(last);
        last = nullptr;
        done = false;
      }
      depth += bracket_step(token);
      if (depth == 0 && !done && is(token, "<")) ++angles;
      if (depth == 0 && angles > 0 && is(token, ">")) --angles;
    }
    if (last != nullptr) names.push_back(last);
    return names;
  }

  void declare(const Tokens& tokens, std::size_t begin, std::size_t end, std::size_t offset,
               bool file_scope) {
    const auto names = declared_names(tokens, begin, end);
    if (names.empty()) return;
    bool dynamic = false;
    for (std::size_t i = begin; i < end; ++i) dynamic = dynamic || is(tokens[i], "extern");
    const std::string id = std::to_string(count_++);
    if (dynamic) {
      declare_dynamic(tokens, begin, end, offset, file_scope, *names[0], id);
    } else {
      declare_static(tokens, begin, end, offset, file_scope, names, id);
    }
  }

  // struct kevolve_shared_0 { float a[4], b; }; auto& kevolve_at_0 = …; auto& a = kevolve_at_0.a; auto& b =
  // …;
  void declare_static(const Tokens& tokens, std::size_t begin, std::size_t end, std::size_t offset,
                      bool file_scope, const std::vector<const Token*>& names, const std::string& id) {
    insert(offset + tokens[begin].begin, "struct kevolve_shared_" + id + " { ");
    for (std::size_t i = begin; i < end; ++i) {
      if (is(tokens[i], "__shared__") || is(tokens[i], "static") || is(tokens[i], "__device__"))
        remove(tokens[i], offset);
    }
    insert(offset + tokens[end].end, " };");
    const std::string storage =
        "auto& kevolve_at_" + id + " = ::kevolve::simt::shared_storage<kevolve_shared_" + id + ">();";
    std::string references = storage;
    for (const Token* name : names) {
      const std::string text(name->text);
      const std::string reference = "auto& " + text + " = kevolve_at_" + id + "." + text + ";";
      references += " " + reference;
      if (file_scope)
        file_scope_.push_back({text, "auto& " + text + " = ::kevolve::simt::shared_storage<kevolve_shared_" +
                                         id + ">()." + text + ";"});
    }
    if (!file_scope) insert(offset + tokens[end].end, " " + references);
  }

  // typedef float kevolve_dynamic_0[]; auto& name = ::kevolve::simt::dynamic_shared<kevolve_dynamic_0>();
  void declare_dynamic(const Tokens& tokens, std::size_t begin, std::size_t end, std::size_t offset,
                       bool file_scope, const Token& name, const std::string& id) {
    insert(offset + tokens[begin].begin, "typedef ");
    for (std::size_t i = begin; i < end; ++i) {
      const Token& token = tokens[i];
      if (is(token, "__shared__") || is(token, "extern") || is(token, "__device__")) remove(token, offset);
      if (is_attribute(token)) {  // with its parentheses
        remove(token, offset);
        int depth = 0;
        do {
          ++i;
          depth += bracket_step(tokens[i]);
          remove(tokens[i], offset);
        } while (depth > 0 && i + 1 < end);
      } else if (&token == &name) {
        edits_.push_back({offset + token.begin, offset + token.end, "kevolve_dynamic_" + id});
      }
    }
    const std::string text(name.text);
    const std::string reference =
        "auto& " + text + " = ::kevolve::simt::dynamic_shared<kevolve_dynamic_" + id + ">();";
    if (file_scope) {
      file_scope_.push_back({text, reference});
    } else {
      insert(offset + tokens[end].end, " " + reference);
    }
  }

  // __constant__ is a macro for const: drop it where the declaration has a const already.
  void single_const(const Tokens& tokens, std::size_t i, std::size_t offset) {
    for (std::size_t j = statement_begin(tokens, i); j < tokens.size(); ++j) {
      if (is(tokens[j], "=") || is(tokens[j], ";") || is(tokens[j], "[") || is(tokens[j], "{")) return;
      if (is(tokens[j], "const") || is(tokens[j], "constexpr")) return remove(tokens[i], offset);
    }
  }

  void insert(std::size_t at, std::string text) { edits_.push_back({at, at, std::move(text)}); }
  void remove(const Token& token, std::size_t offset) {
    const std::size_t begin = offset + token.begin, end = offset + token.end;
    std::string splices;  // a line keeps its number
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t behind = behind_splices(source_, i);
      splices += source_.substr(i, behind - i);
      i = std::max(i, behind);
    }
    edits_.push_back({begin, end, splices});
  }

  std::string_view source_;
  std::vector<Edit> edits_;
  std::vector<FileScopeName> file_scope_;
  int count_ = 0;
};

}  // namespace

std::string rewrite_for_host(std::string_view source) {
  return Rewriter(source).run();
}

}  // namespace kevolve::simt
