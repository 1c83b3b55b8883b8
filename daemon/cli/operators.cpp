// kevolve operators: what can be searched for, and whether an operator is fit to be judged.

#include <fmt/format.h>

#include <memory>

#include "core/search/playbook.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/job/places.hpp"

namespace kevolve::cli {
namespace {

struct OperatorsOptions {
  std::vector<std::string> names;
  bool json = false, admit = false;
  std::string workload = "small";
};

std::string in_axes(const Bindings& axes) {
  return in_tunables(axes);
}

Json describe(const Operator& op, const std::vector<search::PlaybookEntry>& playbook) {
  Json workloads = Json::object();
  for (const Workload& workload : op.workloads) workloads[workload.name] = Json(workload.axes);
  Json ideas = Json::array();
  for (const search::PlaybookEntry& entry : playbook)
    ideas.push_back({{"key", entry.key}, {"idea", entry.header.idea}});
  return {{"name", op.name},        {"description", op.description}, {"precision", name(op.precision)},
          {"workloads", workloads}, {"folder", op.folder.string()},  {"playbook", ideas}};
}

int admit(const Operator& op, const OperatorsOptions& options) {
  AdmitRequest request{"", op.document, options.workload};
  const std::filesystem::path log = scratch_log();
  const Result<Answer> answer = ask_worker(local_worker(log), WorkerRequest(request));
  if (!answer) return complain(answer.error(), kOperational);
  if (const auto* error = std::get_if<ErrorReply>(&*answer->reply))
    return complain({error->message}, kOperational);
  const auto* reply = std::get_if<AdmissionReply>(&*answer->reply);
  if (reply == nullptr)
    return complain({"the worker answered with something else: versions differ"}, kOperational);
  std::filesystem::remove(log);
  if (options.json) {
    print_json({{"operator", op.name},
                {"workload", options.workload},
                {"admitted", reply->admitted},
                {"reason", reply->reason}});
  } else {
    fmt::print("{}: {}{}{}\n", op.name, reply->admitted ? "admitted" : "refused",
               reply->reason.empty() ? "" : ": ", reply->reason);
  }
  return reply->admitted ? kOk : kRejected;
}

int operators(const OperatorsOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    const Result<std::vector<std::string>> all = engine::operator_names();
    if (!all) return complain(all.error(), kOperational);
    names = *all;
  }
  Json list = Json::array();
  int exit_code = kOk;
  for (const std::string& operator_name : names) {
    const Result<Operator> op = engine::find_operator(operator_name);
    if (!op) return complain(op.error(), kUsage);
    if (options.admit) {
      exit_code = std::max(exit_code, admit(*op, options));
      continue;
    }
    const Result<std::vector<search::PlaybookEntry>> playbook = search::load_playbook(*op);
    if (!playbook) return complain(playbook.error(), kUsage);
    if (options.json) {
      list.push_back(describe(*op, *playbook));
      continue;
    }
    fmt::print("{} ({})\n", op->name, name(op->precision));
    for (const std::string& line : wrapped(op->description, 100)) fmt::print("    {}\n", line);
    for (const Workload& workload : op->workloads)
      fmt::print("    workload {:<10} {}\n", workload.name, in_axes(workload.axes));
    if (names.size() == 1) {
      for (const search::PlaybookEntry& entry : *playbook) {
        fmt::print("    idea {}\n", entry.key);
        for (const std::string& line : wrapped(entry.header.idea, 96)) fmt::print("        {}\n", line);
      }
    } else {
      fmt::print("    {} ideas in the playbook\n", playbook->size());
    }
  }
  if (options.json && !options.admit) print_json(list);
  return exit_code;
}

}  // namespace

Command add_operators(CLI::App& app) {
  auto options = std::make_shared<OperatorsOptions>();
  CLI::App* sub =
      app.add_subcommand("operators", "The operators that can be searched, their workloads and playbooks");
  sub->add_option("name", options->names, "Operators by name or folder (default: all)");
  sub->add_flag("--admit", options->admit,
                "Check that each is fit to be judged: no null candidate passes, every input matters");
  sub->add_option("--workload", options->workload, "Workload for --admit")->capture_default_str();
  sub->add_flag("--json", options->json, "For scripts");
  return [options] { return operators(*options); };
}

}  // namespace kevolve::cli
