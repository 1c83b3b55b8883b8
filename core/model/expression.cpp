#include "core/model/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "core/model/field_checks.hpp"

namespace kevolve {

struct Expression::Node {
  enum class Kind { literal, name, negate, logical_not, binary, minimum, maximum, ceil_div };
  Kind kind = Kind::literal;
  std::int64_t value = 0;  // literal
  std::string text;        // name, or the binary operator
  std::vector<std::shared_ptr<const Node>> operands;
};

namespace {

using Node = Expression::Node;
using NodePointer = std::shared_ptr<const Node>;

constexpr std::size_t kMaxLength = 2000;
constexpr int kMaxDepth = 64;  // of parentheses and unary operators: bounds the parser's stack

struct Token {
  enum class Kind { integer, name, symbol, end };
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t column = 1;  // from 1
  std::int64_t value = 0;
};

// Binary operators, loosest level first; all are left-associative.
constexpr std::array<std::array<std::string_view, 4>, 6> kLevels = {
    {{"||"}, {"&&"}, {"==", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_identifier_part(char c) {
  return is_name_start(c) || is_digit(c);
}

tl::unexpected<Error> at(std::string_view text, std::size_t column, std::string_view problem) {
  return failure(fmt::format("column {}: {}; in \"{}\"", column, problem, text));
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t')) ++position_;
      if (position_ == text_.size()) break;
      Result<Token> token = next();
      if (!token) return failure(token.error());
      tokens.push_back(*token);
    }
    tokens.push_back({Token::Kind::end, "", text_.size() + 1, 0});
    return tokens;
  }

 private:
  Result<Token> next() {
    if (is_identifier_part(text_[position_])) return word();
    for (std::string_view symbol :
         {"||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "(", ")", ","}) {
      if (!text_.substr(position_).starts_with(symbol)) continue;
      Token token{Token::Kind::symbol, text_.substr(position_, symbol.size()), position_ + 1, 0};
      position_ += symbol.size();
      return token;
    }
    const char c = text_[position_];
    const std::string_view expected = c == '&'   ? "expected '&&'"
                                      : c == '|' ? "expected '||'"
                                      : c == '=' ? "expected '==' (there is no assignment)"
                                      : c == '.' ? "expected integers only, no decimal point"
                                                 : "expected an integer, a name, an operator or parentheses";
    const bool printable = c > ' ' && c < 127;
    const std::string found =
        printable ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", static_cast<unsigned char>(c));
    return at(text_, position_ + 1, fmt::format("found {}, {}", found, expected));
  }

  Result<Token> word() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && is_identifier_part(text_[position_])) ++position_;
    Token token{Token::Kind::name, text_.substr(begin, position_ - begin), begin + 1, 0};
    if (is_name_start(text_[begin])) return token;
    token.kind = Token::Kind::integer;
    const std::string_view digits = token.text;
    if (!std::all_of(digits.begin(), digits.end(), is_digit) || (digits.size() > 1 && digits[0] == '0')) {
      return at(text_, token.column, fmt::format("found '{}', expected a decimal integer", digits));
    }
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), token.value);
    if (read.ec != std::errc{}) {
      return at(text_, token.column,
                fmt::format("found '{}', expected an integer of at most 9223372036854775807", digits));
    }
    return token;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

// Recursive descent over the tokens.
class Parser {
 public:
  Parser(std::string_view text, std::span<const Token> tokens) : text_(text), tokens_(tokens) {}

  Result<NodePointer> run() {
    Result<NodePointer> root = binary(0);
    if (root && current().kind != Token::Kind::end) return unexpected("an operator or the end");
    return root;
  }
  std::set<std::string> names;

 private:
  [[nodiscard]] const Token& current() const { return tokens_[index_]; }
  [[nodiscard]] bool is_symbol(std::string_view symbol) const {
    return current().kind == Token::Kind::symbol && current().text == symbol;
  }
  bool accept(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    ++index_;
    return true;
  }

  [[nodiscard]] tl::unexpected<Error> unexpected(std::string_view expected) const {
    const Token& token = current();
    const std::string found = token.kind == Token::Kind::end ? "the end" : fmt::format("'{}'", token.text);
    return at(text_, token.column, fmt::format("found {}, expected {}", found, expected));
  }

  Result<NodePointer> binary(std::size_t level) {
    if (level == kLevels.size()) return unary();
    Result<NodePointer> left = binary(level + 1);
    while (left && current().kind == Token::Kind::symbol) {
      const std::string_view symbol = current().text;
      if (std::find(kLevels[level].begin(), kLevels[level].end(), symbol) == kLevels[level].end()) break;
      ++index_;
      Result<NodePointer> right = binary(level + 1);
      if (!right) return right;
      left = std::make_shared<Node>(Node{Node::Kind::binary, 0, std::string(symbol), {*left, *right}});
    }
    return left;
  }

  Result<NodePointer> unary() {
    if (depth_ == kMaxDepth) {
      return at(text_, current().column, fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    ++depth_;
    Result<NodePointer> node = is_symbol("-") || is_symbol("!") ? prefixed() : primary();
    --depth_;
    return node;
  }

  Result<NodePointer> prefixed() {
    const auto kind = is_symbol("-") ? Node::Kind::negate : Node::Kind::logical_not;
    ++index_;
    Result<NodePointer> operand = unary();
    if (!operand) return operand;
    return std::make_shared<Node>(Node{kind, 0, "", {*operand}});
  }

  Result<NodePointer> primary() {
    const Token token = current();
    if (token.kind == Token::Kind::integer) {
      ++index_;
      return std::make_shared<Node>(Node{Node::Kind::literal, token.value, "", {}});
    }
    if (token.kind == Token::Kind::name) {
      ++index_;
      if (is_symbol("(") || token.text == "min" || token.text == "max" || token.text == "ceil_div") {
        return call(token);
      }
      names.emplace(token.text);
      return std::make_shared<Node>(Node{Node::Kind::name, 0, std::string(token.text), {}});
    }
    if (!accept("(")) return unexpected("an integer, a name, '-', '!' or '('");
    Result<NodePointer> inner = binary(0);
    if (inner && !accept(")")) return unexpected("an operator or ')'");
    return inner;
  }

  Result<NodePointer> call(const Token& function) {
    Node node;
    if (function.text == "min") {
      node.kind = Node::Kind::minimum;
    } else if (function.text == "max") {
      node.kind = Node::Kind::maximum;
    } else if (function.text == "ceil_div") {
      node.kind = Node::Kind::ceil_div;
    } else {
      return at(text_, function.column,
                fmt::format("found function '{}', expected min, max or ceil_div", function.text));
    }
    if (!accept("(")) return unexpected(fmt::format("'(' after the function {}", function.text));
    do {
      Result<NodePointer> argument = binary(0);
      if (!argument) return argument;
      node.operands.push_back(*argument);
    } while (accept(","));
    if (!accept(")")) return unexpected("an operator, ',' or ')'");
    const bool fits =
        node.kind == Node::Kind::ceil_div ? node.operands.size() == 2 : node.operands.size() >= 2;
    if (!fits) {
      return at(text_, function.column,
                fmt::format("found {} with {} argument(s), expected {}", function.text, node.operands.size(),
                            node.kind == Node::Kind::ceil_div ? "exactly 2" : "at least 2"));
    }
    return std::make_shared<Node>(std::move(node));
  }

  std::string_view text_;
  std::span<const Token> tokens_;
  std::size_t index_ = 0;
  int depth_ = 0;
};

class Evaluator {
 public:
  explicit Evaluator(const Bindings& bindings) : bindings_(bindings) {}

  Result<std::int64_t> value(const Node& node) const {
    if (node.kind == Node::Kind::literal) return node.value;
    if (node.kind == Node::Kind::name) return named(node.text);
    Result<std::int64_t> first = value(*node.operands[0]);
    if (!first) return first;
    if (node.kind == Node::Kind::negate) return arithmetic("-", 0, *first);
    if (node.kind == Node::Kind::logical_not) return std::int64_t{*first == 0};
    // && and || leave their right side unevaluated where C would.
    if (node.text == "&&" && *first == 0) return std::int64_t{0};
    if (node.text == "||" && *first != 0) return std::int64_t{1};
    for (std::size_t i = 1; i < node.operands.size(); ++i) {
      const Result<std::int64_t> next = value(*node.operands[i]);
      if (!next) return next;
      first = combine(node, *first, *next);
      if (!first) return first;
    }
    return first;
  }

 private:
  [[nodiscard]] Result<std::int64_t> named(const std::string& wanted) const {
    const auto found = bindings_.find(wanted);
    if (found != bindings_.end()) return found->second;
    Names known;
    for (const auto& [known_name, ignored] : bindings_) known.insert(known_name);
    return failure(fmt::format("unknown name '{}'{}", wanted, suggestion(wanted, known, "names")));
  }

  static Result<std::int64_t> combine(const Node& node, std::int64_t a, std::int64_t b) {
    switch (node.kind) {
      case Node::Kind::minimum:
        return std::min(a, b);
      case Node::Kind::maximum:
        return std::max(a, b);
      case Node::Kind::ceil_div: {
        Result<std::int64_t> quotient = arithmetic("/", a, b);
        if (quotient && a % b != 0 && (a < 0) == (b < 0)) ++*quotient;
        return quotient;
      }
      default:
        return node.text.size() == 1 && node.text != "<" && node.text != ">" ? arithmetic(node.text, a, b)
                                                                             : comparison(node.text, a, b);
    }
  }

  static std::int64_t comparison(std::string_view symbol, std::int64_t a, std::int64_t b) {
    if (symbol == "==") return a == b;
    if (symbol == "!=") return a != b;
    if (symbol == "<") return a < b;
    if (symbol == "<=") return a <= b;
    if (symbol == ">") return a > b;
    if (symbol == ">=") return a >= b;
    return b != 0;  // && and ||, whose left side did not decide
  }

  static Result<std::int64_t> arithmetic(std::string_view symbol, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool overflow = false;
    if (symbol == "/" || symbol == "%") {
      if (b == 0) return failure(fmt::format("division by zero: {} {} 0", a, symbol));
      overflow = a == INT64_MIN && b == -1;
      if (!overflow) result = symbol == "/" ? a / b : a % b;
    } else {
      overflow = symbol == "+"   ? __builtin_add_overflow(a, b, &result)
                 : symbol == "-" ? __builtin_sub_overflow(a, b, &result)
                                 : __builtin_mul_overflow(a, b, &result);
    }
    if (overflow) return failure(fmt::format("64-bit overflow: {} {} {}", a, symbol, b));
    return result;
  }

  const Bindings& bindings_;
};

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
  if (text.size() > kMaxLength) {
    return failure(fmt::format("expression of {} characters; expected at most {}", text.size(), kMaxLength));
  }
  const Result<std::vector<Token>> tokens = Tokenizer(text).run();
  if (!tokens) return failure(tokens.error());
  Parser parser(text, *tokens);
  Result<NodePointer> root = parser.run();
  if (!root) return failure(root.error());
  Expression expression;
  expression.text_ = text;
  expression.names_ = std::move(parser.names);
  expression.root_ = std::move(*root);
  return expression;
}

Result<std::int64_t> Expression::evaluate(const Bindings& bindings) const {
  if (!root_) return failure("empty expression; expected an integer expression");
  Result<std::int64_t> value = Evaluator(bindings).value(*root_);
  if (!value) return failure(fmt::format("{}; in \"{}\"", value.error().message, text_));
  return value;
}

}  // namespace kevolve
