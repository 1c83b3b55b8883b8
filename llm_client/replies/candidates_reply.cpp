// parse_candidates(): where the files of a reply are looked for, and what is said when there is none.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text/json.hpp"
#include "llm_client/replies/code_text.hpp"
#include "llm_client/replies/lenient_json.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "llm_client/replies/reply_text.hpp"

namespace kevolve::llm {
namespace {

constexpr int kMaxJsonDepth = 6;
constexpr std::size_t kMaxFiles = 16, kMaxFileComplaints = 8;
constexpr std::string_view kWantedFile =
    "expected one fenced code block with the whole file, beginning with its header /*kevolve { JSON } */";

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

bool cut(Finish finish) {
  return finish == Finish::length || finish == Finish::content_filter;
}

std::string_view cut_by(Finish finish) {
  if (finish == Finish::length) return "breaks off at its length limit";
  if (finish == Finish::content_filter) return "was cut off by the provider's content filter";
  return "ends";
}

/// Where in a file the text breaks off.
std::string place_of_break(std::string_view source) {
  const auto line = std::count(source.begin(), source.end(), '\n') + 1;
  const std::size_t header = header_end(source);
  if (header == std::string_view::npos)
    return fmt::format("in the header, line {} of the file, after {}", line, last_words(source));
  const CodeShape shape = shape_of(source.substr(header));
  std::string where = fmt::format("in line {} of the file, after {}", line, last_words(source));
  if (shape.inside_comment) return where + ", inside a comment";
  if (shape.open_braces > 0)
    where +=
        fmt::format(", with {} brace{} still open", shape.open_braces, shape.open_braces == 1 ? "" : "s");
  return where;
}

class Reader {
 public:
  explicit Reader(Finish finish) : finish_(finish) {}

  Result<CandidatesReply> run(std::string_view reply) {
    const ReplyText answer = without_thoughts(reply);
    text_ = answer.text;
    segments_ = segments(text_);
    from_json(text_);
    for (const Segment& segment : segments_) {
      if (segment.fenced) from_json(segment.text);
    }
    if (found_.sources.empty()) from_segments(true);
    if (found_.sources.empty() && found_.complaints.empty()) from_segments(false);
    if (found_.sources.empty() && found_.complaints.empty()) from_header_and_code();
    if (!found_.sources.empty()) return std::move(found_);
    return failure(why_none(answer.breaks_off_inside));
  }

 private:
  /// Code wrapped in JSON: {"code": "/*kevolve …"}, whatever the field is called.
  void from_json(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return;
    const auto lenient = lenient_json(text, begin);
    if (!lenient) return;
    const auto json = parse_json(lenient->strict, "reply");
    if (json) strings_of(*json, 0);
  }

  void strings_of(const Json& json, int depth) {
    if (json.is_string()) {
      const auto& text = json.get_ref<const std::string&>();
      for (Segment segment : segments(text)) {
        segment.fenced = segment.closed = true;  // the string's end is the code's
        files_of(segment, nullptr);
      }
    } else if (json.is_structured() && depth < kMaxJsonDepth) {
      for (const Json& member : json) strings_of(member, depth + 1);
    }
  }

  void from_segments(bool fenced) {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      if (segments_[i].fenced != fenced) continue;
      const Segment* next = nullptr;
      for (std::size_t k = i + 1; k < segments_.size() && next == nullptr; ++k) {
        if (segments_[k].fenced) next = &segments_[k];
      }
      files_of(segments_[i], next);
    }
  }

  /// The files that begin in a segment. `next`: the fenced block behind it, where the code may be when the
  /// header stands alone.
  void files_of(const Segment& segment, const Segment* next) {
    std::optional<Marker> marker = next_marker(segment.text, 0);
    const std::string before = marker ? preamble(segment, marker->begin) : "";
    for (bool first = true; marker; first = false) {
      const std::optional<Marker> following = next_marker(segment.text, marker->json);
      const std::size_t end = following ? following->begin : segment.text.size();
      std::string source = with_strict_header(segment.text.substr(marker->begin, end - marker->begin));
      bool open = !following && (!segment.fenced || !segment.closed);
      const std::size_t header = header_end(source);
      if (header != std::string::npos && next != nullptr && !following &&
          blank(std::string_view(source).substr(header)) && !next_marker(next->text, 0)) {
        source += "\n" + std::string(next->text);
        open = !next->closed;
      } else if (header != std::string::npos && first && !blank(before)) {
        source.insert(header, "\n" + before);
      }
      take(std::move(source), open, segment.fenced);
      marker = following;
    }
  }

  /// Code that stands before the header in its block (includes, mostly): it moves behind the header.
  static std::string preamble(const Segment& segment, std::size_t end) {
    if (!segment.fenced) return "";
    std::string kept;
    std::string_view rest = segment.text.substr(0, end);
    while (!rest.empty()) {
      const std::size_t line_end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, line_end);
      if (line.find("```") == std::string_view::npos) kept += std::string(line) + "\n";
      rest.remove_prefix(std::min(line_end + 1, rest.size()));
    }
    while (!kept.empty() && kept.back() == '\n') kept.pop_back();
    return kept;
  }

  /// `open`: nothing in the reply says where the file ends.
  void take(std::string source, bool open, bool fenced) {
    const std::size_t header = header_end(source);
    if (header == std::string::npos) return broken(source);
    CodeShape shape = shape_of(std::string_view(source).substr(header));
    bool whole = !open;
    if (open && !fenced && shape.open_braces <= 0 && shape.code_end > 0) {
      // Without a fence, prose may follow the last brace; if it does, the code is whole.
      whole = !blank(std::string_view(source).substr(header + shape.code_end));
      source.resize(header + shape.code_end);
    }
    const bool balanced = shape.open_braces <= 0 && !shape.inside_comment;
    if (!whole && (cut(finish_) || !balanced)) return broken(source);
    if (auto plain = html_unescaped(source)) source = with_strict_header(*plain);
    shape = shape_of(std::string_view(source).substr(std::min(header_end(source), source.size())));
    if (!shape.has_kernel) {
      return complain(
          fmt::format("A file has a header but no __global__ function behind it (it ends with {}): {}.",
                      last_words(source), kWantedFile));
    }
    while (!source.empty() && (source.back() == '\n' || source.back() == ' ')) source.pop_back();
    source += '\n';
    auto& all = found_.sources;
    if (all.size() == kMaxFiles)
      return complain(fmt::format("More than {} files; the others are left out.", kMaxFiles));
    if (std::find(all.begin(), all.end(), source) == all.end()) all.push_back(std::move(source));
  }

  void complain(std::string what) {
    auto& all = found_.complaints;
    if (all.size() < kMaxFileComplaints && std::find(all.begin(), all.end(), what) == all.end())
      all.push_back(std::move(what));
  }

  void broken(std::string_view source) {
    complain(
        fmt::format("The reply {} in the middle of the code, {}: send the whole file again{}.",
                    cut_by(finish_), place_of_break(source),
                    finish_ == Finish::length ? ", and write it, and what stands before it, shorter" : ""));
  }

  /// The header as a JSON block of its own, without its marker, and one block of code.
  void from_header_and_code() {
    std::vector<std::string> headers;
    std::vector<const Segment*> codes;
    for (const Segment& segment : segments_) {
      if (!segment.fenced) continue;
      const std::size_t begin = segment.text.find_first_not_of(" \t\n");
      const auto lenient = begin == std::string_view::npos ? std::nullopt : lenient_json(segment.text, begin);
      const Result<Json> json = parse_json(lenient ? lenient->strict : "", "header");
      if (json && json->contains("launches") && blank(segment.text.substr(lenient->end)))
        headers.push_back(lenient->strict);
      else if (shape_of(segment.text).has_kernel)
        codes.push_back(&segment);
    }
    if (headers.size() != 1 || codes.size() != 1) return;
    take("/*kevolve\n" + headers[0] + "\n*/\n" + std::string(codes[0]->text), !codes[0]->closed, true);
  }

  [[nodiscard]] std::string why_none(bool inside_thought) const {
    if (!found_.complaints.empty()) return fmt::format("{}", fmt::join(found_.complaints, "\n"));
    if (inside_thought)
      return fmt::format("The reply {} while it is still reasoning, before any code: reason less; {}.",
                         cut_by(finish_), kWantedFile);
    if (blank(text_)) return fmt::format("The reply is empty; {}.", kWantedFile);
    if (cut(finish_))
      return fmt::format("The reply {} before a candidate file begins, after {}; {}.", cut_by(finish_),
                         last_words(text_), kWantedFile);
    if (text_.find("kevolve\\n") != std::string::npos)
      return fmt::format("The file stands in a JSON string that is not valid JSON; {}.", kWantedFile);
    if (shape_of(text_).has_kernel)
      return fmt::format(
          "The reply holds CUDA code but no header, so that nobody knows how to launch it; {}.", kWantedFile);
    return fmt::format("The reply holds no candidate file: it begins with {}; {}.", first_words(text_),
                       kWantedFile);
  }

  Finish finish_;
  std::string text_;
  std::vector<Segment> segments_;
  CandidatesReply found_;
};

}  // namespace

Result<CandidatesReply> parse_candidates(std::string_view text, Finish finish) {
  return Reader(finish).run(text);
}

}  // namespace kevolve::llm
