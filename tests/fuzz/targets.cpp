#include "tests/fuzz/targets.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/model/candidate.hpp"
#include "core/model/launch_plan.hpp"
#include "core/search/novelty.hpp"
#include "llm_client/replies/reply_parser.hpp"

namespace kevolve::fuzz {
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

constexpr std::array<Target, 4> kTargets = {{{"ideas", run_ideas},
                                             {"candidates", run_candidates},
                                             {"header", run_header},
                                             {"expression", run_expression}}};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace kevolve::fuzz
