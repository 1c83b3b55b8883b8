#include "llm_client/replies/reply_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text/utf8.hpp"
#include "core/text/words.hpp"

namespace kevolve::llm {
namespace {

constexpr std::array<std::string_view, 6> kThoughts = {"think",     "thinking",   "thought",
                                                       "reasoning", "reflection", "scratchpad"};
constexpr std::size_t kWords = 80;

struct Tag {
  std::size_t begin = 0, end = 0;
  bool closing = false;
};

/// The tag of a thought that begins at the '<' at `at`.
std::optional<Tag> tag_at(std::string_view text, std::size_t at) {
  Tag tag{at, at + 1, false};
  if (tag.end < text.size() && text[tag.end] == '/') {
    tag.closing = true;
    ++tag.end;
  }
  std::string name;
  while (tag.end < text.size() && name.size() < 12 && text[tag.end] != '>') name += lower(text[tag.end++]);
  if (tag.end == text.size() || text[tag.end] != '>') return std::nullopt;
  ++tag.end;
  if (std::find(kThoughts.begin(), kThoughts.end(), name) == kThoughts.end()) return std::nullopt;
  return tag;
}

struct Fence {
  char mark = '`';
  std::size_t length = 0;
  std::string_view info;
};

/// The fence that opens on this line.
std::optional<Fence> opening(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || (line[begin] != '`' && line[begin] != '~')) return std::nullopt;
  const char mark = line[begin];
  std::size_t end = begin;
  while (end < line.size() && line[end] == mark) ++end;
  if (end - begin < 3) return std::nullopt;
  const std::string_view info = line.substr(end);
  if (mark == '`' && info.find('`') != std::string_view::npos) return std::nullopt;  // inline code
  return Fence{mark, end - begin, info};
}

/// How much of the line is content when the line closes the fence; nothing when it does not.
std::optional<std::size_t> closing(std::string_view line, const Fence& fence) {
  const std::size_t end = line.find_last_not_of(" \t");
  if (end == std::string_view::npos || line[end] != fence.mark) return std::nullopt;
  std::size_t begin = end + 1;
  while (begin > 0 && line[begin - 1] == fence.mark) --begin;
  if (end + 1 - begin < fence.length) return std::nullopt;
  const bool alone = line.substr(0, begin).find_first_not_of(" \t") == std::string_view::npos;
  if (alone) return 0;
  if (fence.mark == '~') return std::nullopt;
  return begin;
}

}  // namespace

ReplyText without_thoughts(std::string_view reply) {
  if (reply.starts_with("\xEF\xBB\xBF")) reply.remove_prefix(3);
  const std::string whole = readable(reply);
  ReplyText result;
  std::size_t done = 0;
  int depth = 0;
  bool first = true;
  for (std::size_t at = whole.find('<'); at != std::string::npos; at = whole.find('<', at + 1)) {
    const std::optional<Tag> tag = tag_at(whole, at);
    if (!tag) continue;
    if (!tag->closing) {
      if (depth++ == 0) result.text.append(whole, done, tag->begin - done);
    } else if (depth == 0) {
      // The opening tag was part of the prompt; unless the answer stands before it.
      const bool answer_follows = whole.find_first_not_of(" \n\t", tag->end) != std::string::npos;
      if (first && answer_follows) done = tag->end;
    } else if (--depth == 0) {
      done = tag->end;
    }
    first = false;
    at = tag->end - 1;
  }
  result.breaks_off_inside = depth > 0;
  if (depth == 0) result.text.append(whole, done);
  return result;
}

std::vector<Segment> segments(std::string_view text) {
  std::vector<Segment> all;
  std::optional<Fence> fence;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end, bool fenced, bool closed) {
    if (end > begin || fenced) all.push_back({text.substr(begin, end - begin), fenced, closed, begin});
  };
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::string_view content = text.substr(line, end - line);
    const std::size_t next = std::min(end + 1, text.size());
    if (!fence) {
      fence = opening(content);
      if (fence) {
        add(line, false, true);
        // "```cuda /*kevolve": the file begins on the fence's own line.
        const std::size_t inside = fence->info.find("/*");
        begin = inside == std::string_view::npos
                    ? next
                    : static_cast<std::size_t>(fence->info.data() - text.data()) + inside;
      }
    } else if (const auto kept = closing(content, *fence)) {
      add(line + *kept, true, true);
      fence.reset();
      begin = next;
    }
    line = next;
    if (end == text.size()) break;
  }
  add(text.size(), fence.has_value(), !fence.has_value());
  return all;
}

std::string first_words(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \n\t"), text.size());
  std::string words(text.substr(begin, utf8_boundary(text.substr(begin), kWords)));
  std::replace(words.begin(), words.end(), '\n', ' ');
  return "`" + words + (begin + words.size() < text.size() ? " …`" : "`");
}

std::string last_words(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n\t");
  if (last == std::string_view::npos) return "``";
  text = text.substr(0, last + 1);
  const std::size_t begin = utf8_boundary(text, text.size() - std::min(text.size(), kWords));
  std::string words(text.substr(begin));
  std::replace(words.begin(), words.end(), '\n', ' ');
  return (begin > 0 ? "`… " : "`") + words + "`";
}

}  // namespace kevolve::llm
