#include "tests/fuzz/targets.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/model/candidate.hpp"
#include "core/model/job.hpp"
#include "core/model/launch_plan.hpp"
#include "core/model/worker_protocol.hpp"
#include "core/search/novelty.hpp"
#include "core/text/cuda_characters.hpp"
#include "core/text/cuda_doubts.hpp"
#include "core/text/cuda_text.hpp"
#include "daemon/http/admission.hpp"
#include "daemon/http/bodies.hpp"
#include "daemon/http/sse.hpp"
#include "llm_client/replies/reply_parser.hpp"

namespace kevolve::fuzz {
using namespace llm;
using namespace search;
using namespace service;
namespace {

void demand(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "promise broken: %s\n", promise);
  std::abort();
}

/// Valid UTF-8: what JSON can hold.
bool sendable(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore) ==
         Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void demand_sentences(const std::string& complaint) {
  demand(!complaint.empty() && complaint.back() == '.', "a complaint is a sentence");
  demand(sendable(complaint), "a complaint is valid UTF-8");
}

void run_ideas(std::string_view data) {
  constexpr std::size_t kMost = 5;
  for (const Finish finish : {Finish::stop, Finish::length}) {
    const auto reply = parse_ideas(data, finish, kMost);
    if (!reply) {
      demand_sentences(reply.error().message);
      continue;
    }
    demand(!reply->ideas.empty() && reply->ideas.size() <= kMost, "between one and the most ideas");
    std::vector<std::string> texts;
    for (const Idea& idea : reply->ideas) {
      demand(!idea.text.empty() && idea.text.size() < 5000 && sendable(idea.text),
             "an idea has a text of bounded length");
      demand(idea.text.find('\n') == std::string::npos, "an idea is one line");
      demand(sendable(idea.bottleneck) && idea.key.empty(), "fields are valid");
      demand(!idea.predicted_us || (*idea.predicted_us > 0 && *idea.predicted_us <= 1e12),
             "a prediction is a time");
      demand(near_duplicate(idea.text, {idea.text}) == 0U ||
                 near_duplicate(idea.text, {idea.text}) == std::nullopt,
             "novelty looks at any text");
      for (const std::string& parent : idea.parents)
        demand(!parent.empty() && sendable(parent), "a parent has a key");
    }
    for (const std::string& complaint : reply->complaints) demand_sentences(complaint);
  }
}

void run_candidates(std::string_view data) {
  for (const Finish finish : {Finish::stop, Finish::length}) {
    const auto reply = parse_candidates(data, finish);
    if (!reply) {
      demand_sentences(reply.error().message);
      continue;
    }
    demand(!reply->sources.empty(), "a reply that is no error holds a file");
    for (const std::string& source : reply->sources) {
      demand(source.starts_with("/*kevolve"), "a file begins with its header");
      demand(header_text(source).has_value(), "a header has an end");
      demand(source.find("__global__") != std::string::npos, "a file holds a kernel");
      demand(source.back() == '\n' && sendable(source), "a file is text");
    }
    for (const std::string& complaint : reply->complaints) demand_sentences(complaint);
  }
}

const Operator& fixed_operator() {
  static const Operator kOperator = [] {
    const auto document = parse_json(R"json({
      "name": "scale", "description": "y = x * weight + EPS.",
      "axes": { "N": { "kind": "constant" }, "B": { "kind": "variable" } },
      "scalars": { "EPS": { "dtype": "f32", "value": 1e-5 }, "COUNT": { "dtype": "i32", "value": 7 } },
      "inputs": { "x": { "dtype": "f32", "shape": ["B", "N"] },
                  "weight": { "dtype": "f32", "shape": ["N"], "constant": true } },
      "outputs": { "y": { "dtype": "f32", "shape": ["B", "N"] } },
      "reference": ["def forward(x: Tensor, weight: Tensor, EPS: float) -> Tensor:", "    return x * weight + EPS"],
      "workloads": { "small": { "axes": { "N": 64, "B": 3 } } },
      "distributions": { "normal": { "timed": true, "draws": { "*": { "kind": "normal" } } } },
      "precision": "strict_fp32",
      "cost": { "bytes": "4 * (2 * B * N + N)", "flops": "2 * B * N" } })json",
                                     "operator");
    const auto op = parse_operator(*document, "operator");
    demand(op.has_value(), "the fixed operator is valid");
    return *op;
  }();
  return kOperator;
}

void run_header(std::string_view data) {
  const Operator& op = fixed_operator();
  const auto text = header_text(data);
  const auto header = parse_candidate(data, op, "fuzz.cu");
  demand(text.has_value() || !header.has_value(), "a candidate has a header");
  if (!header) {
    demand(header.error().message.starts_with("fuzz.cu"), "an error names the file");
    return;
  }
  demand(!header->launches.empty(), "a candidate has a launch");
  const Bindings tunables = default_tunables(*header);
  const auto plan = resolve(*header, op, op.workload("small")->axes, tunables, {});
  demand(plan.has_value() || !plan.error().evidence.empty(), "a plan that is refused says why");
  demand(candidate_hash(data, tunables).size() == 64, "a candidate has an address");
}

void run_expression(std::string_view data) {
  const auto expression = Expression::parse(data);
  if (!expression) {
    demand(!expression.error().message.empty(), "an error says what");
    return;
  }
  const Bindings bindings = {{"a", 0},         {"b", -1},        {"L", 65536},
                             {"N", INT64_MAX}, {"M", INT64_MIN}, {"num_sms", 132}};
  const auto value = expression->evaluate(bindings);
  const auto again = Expression::parse(expression->text());
  demand(again.has_value() && again->names() == expression->names(),
         "an expression's text is the expression");
  demand(again->evaluate(bindings).has_value() == value.has_value(), "evaluation is a function");
  if (value)
    demand(*again->evaluate(bindings) == *value, "evaluation is a function");
  else
    demand(!value.error().message.empty(), "an error says what");
}

/// "METHOD TARGET\n" and lines of a header that decide, an empty line, and a body: what the server asks its
/// pure parts.
void run_http(std::string_view data) {
  const auto line = [&data] {
    const std::size_t end = std::min(data.find('\n'), data.size());
    const std::string_view text = data.substr(0, end);
    data.remove_prefix(std::min(end + 1, data.size()));
    return text;
  };
  const std::string_view first = line();
  const std::size_t space = std::min(first.find(' '), first.size());
  http::RequestHead head;
  head.method = first.substr(0, space);
  head.target = first.substr(std::min(space + 1, first.size()));
  head.host = line();
  head.content_type = line();
  head.authorization = line();
  head.content_length = data.size();
  const http::AccessRules rules{true, "0123456789abcdef"};
  const auto match = http::admit(rules, head, 4096);
  const auto demand_refusal = [](const http::Refusal& refusal) {
    demand(refusal.status >= 400 && refusal.status < 500 && !refusal.kind.empty() && !refusal.message.empty(),
           "a refusal has a status, a kind and words");
    demand(Json::accept(http::refusal_answer(refusal).body), "a refusal is JSON");
  };
  if (!match) return demand_refusal(match.error());
  demand(match->route == nullptr || !match->route->changes || head.authorization.ends_with(rules.token),
         "nothing is changed without the token");
  demand(match->id.find_first_of(std::string("/\\\0", 3)) == std::string::npos && match->id != "..",
         "an id is one segment");
  if (match->route == nullptr) return;
  const auto request = http::service_request(*match, data);
  if (!request) return demand_refusal(request.error());
  demand(request->body.is_object(), "a body is an object");
  demand(request->job == match->id, "a request is about the job of its path");
  if (request->verb == ServiceVerb::submit)
    demand(parse_job(request->body.at("job"), "job").has_value(), "what is submitted is a job");
  if (match->route->endpoint == http::Endpoint::best) {
    const auto question = http::best_question(*match);
    if (!question) return demand_refusal(question.error());
    demand(question->top >= 1 && question->top <= 1000, "a question has bounds");
  }
}

/// In pieces of any size the same events come out.
void run_events(std::string_view data) {
  const auto read = [data](std::size_t at_once) {
    http::SseReader reader;
    std::string all;
    for (std::size_t i = 0; i < data.size(); i += at_once) {
      const bool well = reader.feed(data.substr(i, at_once), [&all](const http::SseEvent& event) {
        demand(!event.type.empty(), "an event has a type");
        all += event.id + "\1" + event.type + "\1" + event.data + "\2";
        return true;
      });
      demand(well, "a short stream is read to its end");
    }
    return all + reader.last_id();
  };
  demand(read(1) == read(std::max<std::size_t>(data.size(), 1)), "pieces do not matter");
}

void run_job(std::string_view data) {
  const Result<Json> document = parse_json(data, "job.json");
  if (!document) {
    demand(document.error().message.starts_with("job.json"), "an error names the file");
    return;
  }
  const Result<Job> job = parse_job(*document, "job.json");
  if (!job) {
    demand(job.error().message.starts_with("job.json"), "an error names the file");
    demand(sendable(job.error().message), "an error is text");
    return;
  }
  demand(!job->name.empty() && !job->operators.empty() && !job->idea_sources.empty(), "a job is complete");
  demand(job->workers >= 1 && job->policy.rounds >= 1, "a job has bounds");
  const Json whole = to_json(*job);
  const Result<Job> again = parse_job(whole, "archived");
  demand(again.has_value(), "an archived job is a job");
  demand(to_json(*again) == whole, "an archived job is the same job");
}

template <class Parsed>
void demand_line(const Result<Parsed>& parsed, Result<Parsed> (*parse)(std::string_view)) {
  if (!parsed) {
    demand(!parsed.error().message.empty() && sendable(parsed.error().message), "an error says what");
    return;
  }
  const std::string line = to_line(*parsed);
  demand(line.find('\n') == std::string::npos, "a line is one line");
  const Result<Parsed> again = parse(line);
  demand(again.has_value() && to_line(*again) == line, "a line comes back as it was written");
}

void run_worker_line(std::string_view data) {
  demand_line(request_from_line(data), request_from_line);
  demand_line(reply_from_line(data), reply_from_line);
}

/// The tokens that mean something, each with a zero byte behind it.
std::string meaning_of(std::string_view text, const std::vector<CudaToken>& tokens) {
  std::string joined;
  for (const CudaToken& token : tokens)
    if (!separates(token))
      joined += std::to_string(static_cast<int>(token.kind)) + meaning(text, token) + '\0';
  return joined;
}

bool has_content(const CudaToken& token) {
  using Kind = CudaToken::Kind;
  return token.kind == Kind::text || token.kind == Kind::raw_text || token.kind == Kind::character ||
         token.kind == Kind::header || token.kind == Kind::has_header;
}

void run_cuda_text(std::string_view data) {
  const std::vector<CudaToken> tokens = read_cuda_text(data);
  std::size_t at = 0;
  int line = 1;
  bool raw = false;
  std::string joined;
  for (const CudaToken& token : tokens) {
    demand(token.begin == at && token.end > at, "tokens follow each other without gaps");
    demand(token.line >= line, "lines are counted upwards");
    if (has_content(token))
      demand(content(data, token).size() < token.end - token.begin, "a content is part of its token");
    demand(!token.starts_directive || token.in_directive, "a directive starts in itself");
    at = token.end;
    line = token.line;
    raw = raw || token.kind == CudaToken::Kind::raw_text;
    joined += spelled(data, token);
  }
  demand(at == data.size(), "the tokens are the whole text");
  for (const CudaDoubt& doubt : cuda_text_doubts(data, tokens))
    demand(doubt.line >= 1 && !doubt.what.empty(), "a doubt has a line and words");
  // Splices mean nothing outside raw strings. Removing some may leave others: "\\", "\", two line ends.
  if (!raw && without_splices(joined) == joined)
    demand(meaning_of(joined, read_cuda_text(joined)) == meaning_of(data, tokens), "splices mean nothing");
}

constexpr std::array<Target, 9> kTargets = {{{"ideas", run_ideas},
                                             {"candidates", run_candidates},
                                             {"header", run_header},
                                             {"expression", run_expression},
                                             {"http", run_http},
                                             {"events", run_events},
                                             {"job", run_job},
                                             {"worker_line", run_worker_line},
                                             {"cuda_text", run_cuda_text}}};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace kevolve::fuzz
