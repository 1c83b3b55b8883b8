#include "core/text/text_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace kevolve {
namespace {

using Lines = std::vector<std::string_view>;

/// With their newlines, so that a missing last one is a difference.
Lines lines_of(std::string_view text) {
  Lines lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

struct Edit {
  char sign = ' ';  ///< ' ' both, '-' before only, '+' after only
  std::string_view line;
};

constexpr int kMostChanges = 4000;  ///< the trace takes the square of it

/// E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986: for each number of changes the
/// furthest point on every diagonal; then back along the trace. Nothing when there are too many changes.
std::vector<Edit> shortest_script(const Lines& a, const Lines& b) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  std::vector<std::vector<int>> trace;  // after d changes: x on the diagonals -d … d
  const auto at = [&trace](int d, int k) -> int& {
    return trace[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
  };
  const auto comes_down = [&](int d, int k) {  // from the diagonal above: a line of `b` is inserted
    return k == -d || (k != d && at(d - 1, k - 1) < at(d - 1, k + 1));
  };
  int changes = -1;
  for (int d = 0; changes < 0; ++d) {
    if (d > kMostChanges) return {};
    trace.emplace_back(static_cast<std::size_t>(2 * d + 1));
    for (int k = -d; k <= d && changes < 0; k += 2) {
      int x = d == 0 ? 0 : comes_down(d, k) ? at(d - 1, k + 1) : at(d - 1, k - 1) + 1;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) ++x;
      at(d, k) = x;
      if (x >= n && x - k >= m) changes = d;
    }
  }
  std::vector<Edit> script;
  int x = n, y = m;
  for (int d = changes; x > 0 || y > 0; --d) {
    const int k = x - y;
    const bool down = d > 0 && comes_down(d, k);
    const int from_k = down ? k + 1 : k - 1;
    const int from_x = d == 0 ? 0 : at(d - 1, from_k);
    const int from_y = d == 0 ? 0 : from_x - from_k;
    while (x > from_x && y > from_y &&
           (d == 0 || x > from_x + (down ? 0 : 1) || y > from_y + (down ? 1 : 0))) {
      script.push_back({' ', a[static_cast<std::size_t>(--x)]});
      --y;
    }
    if (d == 0) break;
    script.push_back(down ? Edit{'+', b[static_cast<std::size_t>(--y)]}
                          : Edit{'-', a[static_cast<std::size_t>(--x)]});
  }
  std::reverse(script.begin(), script.end());
  return script;
}

std::vector<Edit> wholly_replaced(const Lines& a, const Lines& b) {
  std::vector<Edit> script;
  for (const std::string_view line : a) script.push_back({'-', line});
  for (const std::string_view line : b) script.push_back({'+', line});
  return script;
}

std::string range(std::size_t first, std::size_t count) {  // an empty one is named by the line before it
  if (count == 1) return fmt::format("{}", first);
  return fmt::format("{},{}", count == 0 ? first - 1 : first, count);
}

std::string hunk(const std::vector<Edit>& script, std::size_t begin, std::size_t end) {
  std::size_t a_first = 1, b_first = 1, a_count = 0, b_count = 0;
  std::string body;
  for (std::size_t i = 0; i < end; ++i) {
    (i < begin ? a_first : a_count) += script[i].sign != '+' ? 1 : 0;
    (i < begin ? b_first : b_count) += script[i].sign != '-' ? 1 : 0;
    if (i < begin) continue;
    body += script[i].sign;
    body += script[i].line;
    if (script[i].line.back() != '\n') body += "\n\\ No newline at end of file\n";
  }
  return fmt::format("@@ -{} +{} @@\n{}", range(a_first, a_count), range(b_first, b_count), body);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name, int context) {
  if (before == after) return {};
  const Lines a = lines_of(before), b = lines_of(after);
  std::vector<Edit> script = shortest_script(a, b);
  if (script.empty()) script = wholly_replaced(a, b);
  std::string text = fmt::format("--- {}\n+++ {}\n", before_name, after_name);
  const auto around = static_cast<std::size_t>(context);
  for (std::size_t i = 0; i < script.size();) {
    if (script[i].sign == ' ') {
      ++i;
      continue;
    }
    // Changes with at most twice the context between them share a hunk.
    std::size_t last = i;
    for (std::size_t j = i; j < script.size() && j - last <= 2 * around + 1; ++j) {
      if (script[j].sign != ' ') last = j;
    }
    text += hunk(script, i < around ? 0 : i - around, std::min(last + around + 1, script.size()));
    i = last + 1;
  }
  return text;
}

}  // namespace kevolve
