// kevolve exchanges: what models were asked in a job, and what they answered.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"
#include "llm_client/recording.hpp"

namespace kevolve::cli {
namespace {

struct Options {
  std::string job, record;
  std::int64_t id = 0;
  std::filesystem::path archive;
  bool json = false;
};

/// Where each round of the job belongs.
struct Place {
  std::string op, workload;
  int round = 1;
};

Result<std::map<RoundId, Place>> places(Archive& archive, JobId job) {
  const auto rounds = archive.rounds(job);
  if (!rounds) return failure(rounds.error());
  std::map<RoundId, Place> found;
  for (const RoundRecord& round : *rounds) {
    const auto op = archive.operator_version(round.op);
    if (!op) return failure(op.error());
    found[round.id] = {op->name, round.workload, round.number};
  }
  return found;
}

int list(const std::vector<ExchangeRecord>& exchanges, const std::map<RoundId, Place>& where) {
  std::vector<std::vector<std::string>> rows;
  for (const ExchangeRecord& x : exchanges) {
    const Place& place = where.at(x.round);
    rows.push_back({std::to_string(x.id.value), place.op, std::to_string(place.round), x.slot, x.model,
                    x.outcome, std::to_string(x.attempts), std::to_string(x.input_tokens),
                    std::to_string(x.output_tokens), x.cost_usd ? fmt::format("{:.4f}", *x.cost_usd) : "?",
                    fmt::format("{:.1f} s", x.latency_ms / 1000)});
  }
  fmt::print("{}\n\n`kevolve exchanges JOB --show ID` prints one with its prompt and its reply.\n",
             table({"id", "operator", "round", "slot", "model", "outcome", "requests", "tokens in",
                    "tokens out", "USD", "latency"},
                   rows));
  return kOk;
}

void print_one(const ExchangeRecord& x) {
  for (const ExchangeMessage& message : x.messages)
    fmt::print("---- {}\n\n{}\n\n", message.role, message.text);
  if (!x.error.empty()) fmt::print("---- {}\n\n{}\n\n", x.outcome, x.error);
  if (!x.reasoning.empty()) fmt::print("---- reasoning\n\n{}\n\n", x.reasoning);
  fmt::print("---- reply of {}{}\n\n{}\n", x.model, x.finish == "length" ? ", cut at its length limit" : "",
             x.reply);
}

/// As a job's `record` would have written it.
Result<void> write_recording(const std::string& file, const std::vector<ExchangeRecord>& exchanges,
                             const std::map<RoundId, Place>& where) {
  std::ofstream out(file, std::ios::binary);
  for (const ExchangeRecord& x : exchanges) {
    if (x.outcome != "replied") continue;
    const Place& place = where.at(x.round);
    RecordedExchange recorded;
    recorded.key = {place.op, place.workload, place.round, x.slot};
    std::vector<Message> messages;
    for (const ExchangeMessage& message : x.messages) {
      messages.push_back({role_from_name(message.role).value_or(Role::user), message.text});
    }
    recorded.prompt_hash = prompt_hash(messages);
    recorded.reply.text = x.reply;
    recorded.reply.reasoning = x.reasoning;
    recorded.reply.model = x.model;
    recorded.reply.served_by = x.served_by;
    recorded.reply.finish = finish_from_name(x.finish).value_or(Finish::unknown);
    recorded.reply.usage = {x.input_tokens, x.cached_tokens, x.output_tokens, x.reasoning_tokens};
    recorded.reply.usage_estimated = x.usage_estimated;
    recorded.reply.latency = std::chrono::milliseconds(static_cast<std::int64_t>(x.latency_ms));
    out << kevolve::to_json(recorded).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  out.close();
  if (!out) return failure(fmt::format("cannot write {}", file));
  return {};
}

int exchanges(const Options& options) {
  Result<Archive> archive = Archive::open(options.archive, OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const auto job = archive->job(options.job);
  if (!job) return complain(job.error(), kOperational);
  if (!*job) return complain({fmt::format("the archive has no job '{}'", options.job)}, kNotFound);
  Result<std::vector<ExchangeRecord>> found = archive->exchanges((*job)->id);
  if (!found) return complain(found.error(), kOperational);
  const auto where = places(*archive, (*job)->id);
  if (!where) return complain(where.error(), kOperational);
  if (!options.record.empty()) {
    const auto written = write_recording(options.record, *found, *where);
    return written ? kOk : complain(written.error(), kOperational);
  }
  if (options.id != 0) {
    std::erase_if(*found, [&](const ExchangeRecord& x) { return x.id.value != options.id; });
    if (found->empty())
      return complain({fmt::format("job '{}' has no exchange {}", options.job, options.id)}, kNotFound);
  }
  if (options.json) {
    Json all = Json::array();
    for (const ExchangeRecord& x : *found) all.push_back(to_json(x));
    print_json(all);
    return kOk;
  }
  if (options.id == 0) return list(*found, *where);
  print_one(found->front());
  return kOk;
}

}  // namespace

Command add_exchanges(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("exchanges", "What models were asked in a job, and what they answered");
  sub->add_option("job", options->job, "The job's name")->required();
  sub->add_option("--show", options->id, "One of them, with its prompt and its reply");
  sub->add_option("--record", options->record, "Write them to a file for the idea source replay");
  sub->add_flag("--json", options->json, "As JSON, with prompts and replies");
  add_archive_option(*sub, options->archive);
  return [options] { return exchanges(*options); };
}

}  // namespace kevolve::cli
