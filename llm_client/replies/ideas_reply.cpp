// parse_ideas(): every JSON value in the reply is looked at; a numbered list is the last resort.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/text/json.hpp"
#include "core/text/utf8.hpp"
#include "llm_client/replies/ideas_list.hpp"
#include "llm_client/replies/lenient_json.hpp"
#include "llm_client/replies/predicted_time.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "llm_client/replies/reply_text.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kMaxFailures = 64;  // brackets in prose that are no JSON; bounds the work
constexpr std::size_t kMaxIdeaBytes = 4000, kMaxBottleneckBytes = 1000, kMaxKeyBytes = 200;
constexpr std::size_t kMaxParents = 8, kMaxIdeaComplaints = 16;
constexpr std::size_t kLeastIdeaWords = 3;
constexpr int kMaxDepth = 6;
constexpr std::string_view kWantedIdeas =
    "expected a JSON array of objects {\"idea\": …, \"bottleneck\": …, \"predicted_us\": …}";

constexpr std::array<std::string_view, 7> kTextFields = {
    "idea", "text", "description", "optimization", "optimisation", "proposal", "strategy"};
constexpr std::array<std::string_view, 2> kTitleFields = {"title", "name"};
constexpr std::array<std::string_view, 4> kBottleneckFields = {"bottleneck", "attacks", "limits", "target"};
constexpr std::array<std::string_view, 4> kParentFields = {"builds_on", "parents", "based_on", "extends"};
struct TimeField {
  std::string_view name, unit;
};
constexpr std::array<TimeField, 9> kTimeFields = {{{"predicted_us", "us"},
                                                   {"predicted_time_us", "us"},
                                                   {"expected_us", "us"},
                                                   {"estimated_us", "us"},
                                                   {"predicted_ms", "ms"},
                                                   {"predicted_time_ms", "ms"},
                                                   {"predicted_ns", "ns"},
                                                   {"predicted_time", "us"},
                                                   {"predicted", "us"}}};

/// White space collapsed, at most `most` bytes.
std::string tidy(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : readable(text)) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.size() > most) {
    out.resize(utf8_boundary(out, most));
    out += "…";
  }
  return out;
}

template <std::size_t N>
std::string text_field(const Json& object, const std::array<std::string_view, N>& names, std::size_t most) {
  for (const std::string_view name : names) {
    const auto found = object.find(std::string(name));
    if (found == object.end() || !found->is_string()) continue;
    if (std::string text = tidy(found->get_ref<const std::string&>(), most); !text.empty()) return text;
  }
  return "";
}

std::size_t words_of(const std::string& text) {
  return text.empty() ? 0 : static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

class Collector {
 public:
  void value(const Json& json, int depth) {
    if (depth > kMaxDepth) return;
    if (json.is_array()) {
      for (const Json& entry : json) {
        if (entry.is_string())
          add({"llm", "", tidy(entry.get_ref<const std::string&>(), kMaxIdeaBytes)});
        else if (entry.is_structured())
          value(entry, depth + 1);
      }
      return;
    }
    if (!json.is_object()) return;
    if (object(json)) return;
    bool nested = false;
    for (const Json& member : json) {
      if (!member.is_structured()) continue;
      nested = true;
      value(member, depth + 1);
    }
    if (!nested && !json.empty())
      complain(fmt::format("The entry {} has no field \"idea\" with a text; it is left out.",
                           first_words(json.dump(-1, ' ', false, Json::error_handler_t::replace))));
  }

  void add(search::Idea idea) {
    if (words_of(idea.text) < kLeastIdeaWords) {
      if (!idea.text.empty())
        complain(fmt::format("\"{}\" is too short to be an idea; it is left out.", idea.text));
      return;
    }
    const auto same = [&](const search::Idea& known) { return known.text == idea.text; };
    if (std::none_of(reply.ideas.begin(), reply.ideas.end(), same)) reply.ideas.push_back(std::move(idea));
  }

  void complain(std::string what) {
    if (reply.complaints.size() < kMaxIdeaComplaints) reply.complaints.push_back(std::move(what));
  }

  IdeasReply reply;

 private:
  /// False: the object is no idea.
  bool object(const Json& json) {
    search::Idea idea{"llm", "", text_field(json, kTextFields, kMaxIdeaBytes)};
    const std::string title = text_field(json, kTitleFields, kMaxKeyBytes);
    if (idea.text.empty()) return false;
    if (!title.empty() && idea.text.find(title) == std::string::npos) idea.text = title + ": " + idea.text;
    idea.bottleneck = text_field(json, kBottleneckFields, kMaxBottleneckBytes);
    predicted(json, idea);
    parents(json, idea);
    add(std::move(idea));
    return true;
  }

  void predicted(const Json& json, search::Idea& idea) {
    for (const TimeField& field : kTimeFields) {
      const auto found = json.find(std::string(field.name));
      if (found == json.end() || found->is_null()) continue;
      const std::string text = found->is_string()
                                   ? found->get<std::string>()
                                   : found->dump(-1, ' ', false, Json::error_handler_t::replace);
      if (const auto time = predicted_time_us(text, field.unit)) {
        idea.predicted_us = *time;
      } else {
        complain(
            fmt::format("The prediction of \"{}\" is left out: {}; expected a plain number such as 123.4.",
                        idea.text.substr(0, utf8_boundary(idea.text, 60)), time.error().message));
      }
      return;
    }
  }

  static void parents(const Json& json, search::Idea& idea) {
    const auto add_key = [&](const Json& key) {
      if (!key.is_string() || idea.parents.size() == kMaxParents) return;
      std::string text = tidy(key.get_ref<const std::string&>(), kMaxKeyBytes);
      text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
      if (text.empty() || text == "none" || text == "None" || text == "null" || text == "-") return;
      if (std::find(idea.parents.begin(), idea.parents.end(), text) == idea.parents.end())
        idea.parents.push_back(std::move(text));
    };
    for (const std::string_view name : kParentFields) {
      const auto found = json.find(std::string(name));
      if (found == json.end()) continue;
      if (!found->is_array()) return add_key(*found);
      for (const Json& key : *found) add_key(key);
      return;
    }
  }
};

/// All values in the text, wherever they stand: fences, prose, one on each line.
void collect_json(std::string_view text, Collector& collector) {
  std::size_t failures = 0;
  for (std::size_t at = text.find_first_of("[{"); at != std::string_view::npos && failures < kMaxFailures;
       at = text.find_first_of("[{", at)) {
    const auto lenient = lenient_json(text, at);
    const Result<Json> json = parse_json(lenient ? lenient->strict : "", "reply");
    if (json) {
      collector.value(*json, 0);
      at = lenient->end;
    } else {
      ++failures;
      ++at;
    }
  }
}

std::string why_none(const ReplyText& answer, Finish finish, const IdeasReply& reply) {
  if (!reply.complaints.empty()) return fmt::format("{}", fmt::join(reply.complaints, "\n"));
  const std::string_view end = finish == Finish::length ? "breaks off at its length limit"
                               : finish == Finish::content_filter
                                   ? "was cut off by the provider's content filter"
                                   : "ends";
  if (answer.breaks_off_inside)
    return fmt::format("The reply {} while it is still reasoning, before any idea: reason less; {}.", end,
                       kWantedIdeas);
  if (answer.text.find_first_not_of(" \t\n") == std::string::npos)
    return fmt::format("The reply is empty; {}.", kWantedIdeas);
  if (finish == Finish::length || finish == Finish::content_filter)
    return fmt::format("The reply {} before its first idea is complete, after {}; {}.", end,
                       last_words(answer.text), kWantedIdeas);
  return fmt::format("The reply holds no idea: it begins with {}; {}.", first_words(answer.text),
                     kWantedIdeas);
}

}  // namespace

Result<IdeasReply> parse_ideas(std::string_view text, Finish finish, std::size_t most) {
  const ReplyText answer = without_thoughts(text);
  Collector collector;
  collect_json(answer.text, collector);
  if (collector.reply.ideas.empty()) {
    for (search::Idea& idea : ideas_of_list(answer.text)) {
      idea.text = tidy(idea.text, kMaxIdeaBytes);
      idea.bottleneck = tidy(idea.bottleneck, kMaxBottleneckBytes);
      collector.add(std::move(idea));
    }
  }
  IdeasReply& reply = collector.reply;
  if (reply.ideas.empty()) return failure(why_none(answer, finish, reply));
  if (finish == Finish::length)
    collector.complain(
        fmt::format("The reply breaks off at its length limit, after {}; the {} whole ideas before are kept.",
                    last_words(answer.text), reply.ideas.size()));
  if (reply.ideas.size() > most) {
    collector.complain(fmt::format("{} ideas were asked for and {} given; the others are left out.", most,
                                   reply.ideas.size()));
    reply.ideas.resize(most);
  }
  return std::move(reply);
}

}  // namespace kevolve::llm
