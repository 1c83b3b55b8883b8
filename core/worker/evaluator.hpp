#pragma once
// Evaluator: passes candidates through the gates. In two halves, because compiling is done for many requests
// at once while timing needs the machine to itself: prepare() may run in several threads, finish() in one.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/devices/device.hpp"
#include "core/devices/host_memory.hpp"
#include "core/judge/judge.hpp"
#include "core/model/worker_protocol.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/open_device.hpp"
#include "core/worker/subject.hpp"
#include "core/worker/timing.hpp"

namespace kevolve {

/// A request that is past its compile gates, or has already failed at one.
struct PreparedEvaluation {
  std::shared_ptr<const Operator> op;
  Device* device = nullptr;
  const Workload* workload = nullptr;  ///< of `op`
  Preparation candidate;
  std::vector<CompiledSubject> compare_with;  ///< filled when timing was asked for
};

class Evaluator {
 public:
  explicit Evaluator(DevicePlaces places) : places_(std::move(places)) {}

  /// For tests: takes this device instead of opening one of its name.
  void adopt_device(std::unique_ptr<Device> device);

  /// Opens the device on first use. Thread-safe.
  Result<Device*> device(const std::string& name);

  /// Gates policy, compile and inspect of the candidate and of what it is compared with. Thread-safe.
  Result<PreparedEvaluation> prepare(const EvaluateRequest& request);

  /// Gates correctness and timing, and the whole record. One thread.
  Result<Evaluation> finish(const EvaluateRequest& request, PreparedEvaluation prepared);

  Result<AdmissionReply> admit(const AdmitRequest& request);

 private:
  Result<std::shared_ptr<const Operator>> parse(const Json& document);
  Result<Judge*> judge(const Operator& op, int threads, Memory& memory);
  DrawPool& draws(Device& device);
  TimingBench& bench(Device& device, Judge& judge, const Workload& workload, const std::string& family,
                     bool fresh);

  const DevicePlaces places_;
  std::mutex mutex_;  // of devices_ and operators_
  std::map<std::string, std::unique_ptr<Device>> devices_;
  std::map<std::string, std::shared_ptr<const Operator>> operators_;  // by hash of the document
  HostMemory host_;                                                   // where operators are admitted
  std::map<std::string, std::unique_ptr<Judge>> judges_;              // by place and hash of the document
  std::map<const Device*, DrawPool> draws_;
  struct Bench {
    std::string key;
    TimingBench bench;
  };
  std::list<Bench> benches_;  ///< the most recently used first; after judges_, which they refer to
};

}  // namespace kevolve
