// kevolve exchanges: what models were asked in a job, and what they answered.

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"
#include "llm_client/recording.hpp"

namespace kevolve::cli {
namespace {

struct ExchangesOptions {
  std::string job, record;
  std::int64_t id = 0;
  int newest = 50;
  std::filesystem::path archive;
  bool json = false;
};

int list(const std::vector<archive::ExchangeRecord>& exchanges, const ExchangesOptions& options) {
  std::vector<std::vector<std::string>> rows;
  for (const archive::ExchangeRecord& x : exchanges) {
    rows.push_back({std::to_string(x.id.value), x.operator_name, std::to_string(x.round_number), x.slot,
                    x.model, x.outcome, std::to_string(x.attempts), std::to_string(x.input_tokens),
                    std::to_string(x.output_tokens), x.cost_usd ? fmt::format("{:.4f}", *x.cost_usd) : "?",
                    fmt::format("{:.1f} s", x.latency_ms / 1000)});
  }
  fmt::print("{}\n\n`kevolve exchanges JOB --show ID` prints one with its prompt and its reply.\n",
             table({"id", "operator", "round", "slot", "model", "outcome", "requests", "tokens in",
                    "tokens out", "USD", "latency"},
                   rows));
  if (options.newest > 0 && exchanges.size() == static_cast<std::size_t>(options.newest))
    fmt::print("The newest {}; --newest N shows more, 0 all.\n", options.newest);
  return kOk;
}

void print_one(const archive::ExchangeRecord& x) {
  for (const archive::ExchangeMessage& message : x.messages)
    fmt::print("---- {}\n\n{}\n\n", message.role, message.text);
  if (!x.error.empty()) fmt::print("---- {}\n\n{}\n\n", x.outcome, x.error);
  if (!x.reasoning.empty()) fmt::print("---- reasoning\n\n{}\n\n", x.reasoning);
  fmt::print("---- reply of {}{}\n\n{}\n", x.model, x.finish == "length" ? ", cut at its length limit" : "",
             x.reply);
}

/// As a job's `record` would have written it.
Result<void> write_recording(const std::string& file, const std::vector<archive::ExchangeRecord>& exchanges) {
  std::ofstream out(file, std::ios::binary);
  for (const archive::ExchangeRecord& x : exchanges) {
    if (x.outcome != "replied") continue;
    llm::RecordedExchange recorded;
    recorded.key = {x.operator_name, x.workload, x.round_number, x.slot};
    std::vector<llm::Message> messages;
    for (const archive::ExchangeMessage& message : x.messages) {
      messages.push_back({llm::role_from_name(message.role).value_or(llm::Role::user), message.text});
    }
    recorded.prompt_hash = llm::prompt_hash(messages);
    recorded.reply.text = x.reply;
    recorded.reply.reasoning = x.reasoning;
    recorded.reply.model = x.model;
    recorded.reply.served_by = x.served_by;
    recorded.reply.finish = llm::finish_from_name(x.finish).value_or(llm::Finish::unknown);
    recorded.reply.usage = {x.input_tokens, x.cached_tokens, x.output_tokens, x.reasoning_tokens};
    recorded.reply.usage_estimated = x.usage_estimated;
    recorded.reply.latency = std::chrono::milliseconds(static_cast<std::int64_t>(x.latency_ms));
    out << llm::to_json(recorded).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  out.close();
  if (!out) return failure(fmt::format("cannot write {}", file));
  return {};
}

int show_one(archive::Archive& archive, JobId job, const ExchangesOptions& options) {
  const Result<std::optional<archive::ExchangeRecord>> found = archive.exchange(job, ExchangeId{options.id});
  if (!found) return complain(found.error(), kOperational);
  if (!*found)
    return complain({fmt::format("job '{}' has no exchange {}", options.job, options.id)}, kNotFound);
  if (options.json)
    print_json(Json::array({to_json(**found)}));
  else
    print_one(**found);
  return kOk;
}

int exchanges(const ExchangesOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const auto job = archive->job(options.job);
  if (!job) return complain(job.error(), kOperational);
  if (!*job) return complain({fmt::format("the archive has no job '{}'", options.job)}, kNotFound);
  if (options.id != 0) return show_one(*archive, (*job)->id, options);
  const bool record = !options.record.empty();
  const auto found = archive->exchanges((*job)->id, record ? 0 : options.newest);
  if (!found) return complain(found.error(), kOperational);
  if (record) {
    const auto written = write_recording(options.record, *found);
    return written ? kOk : complain(written.error(), kOperational);
  }
  if (options.json) {
    Json all = Json::array();
    for (const archive::ExchangeRecord& x : *found) all.push_back(to_json(x));
    print_json(all);
    return kOk;
  }
  return list(*found, options);
}

}  // namespace

Command add_exchanges(CLI::App& app) {
  auto options = std::make_shared<ExchangesOptions>();
  CLI::App* sub = app.add_subcommand("exchanges", "What models were asked in a job, and what they answered");
  sub->add_option("job", options->job, "The job's name")->required();
  sub->add_option("--newest", options->newest, "How many; 0: all")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  sub->add_option("--show", options->id, "One of them, with its prompt and its reply");
  sub->add_option("--record", options->record, "Write all of them to a file for the idea source replay");
  sub->add_flag("--json", options->json, "As JSON, with prompts and replies");
  add_archive_option(*sub, options->archive);
  return [options] { return exchanges(*options); };
}

}  // namespace kevolve::cli
