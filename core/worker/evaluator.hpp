#pragma once
// Evaluator: passes candidates through the gates, and keeps what serves many of them: devices, judges, draws
// and timing benches. It works in two halves, because many requests are compiled at once while timing needs
// the machine to itself: prepare() may run in several threads, finish() in one.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/devices/device.hpp"
#include "core/devices/host_memory.hpp"
#include "core/judge/judge.hpp"
#include "core/model/worker_protocol.hpp"
#include "core/worker/draw_pool.hpp"
#include "core/worker/open_device.hpp"
#include "core/worker/timing_bench.hpp"
#include "core/worker/trial.hpp"

namespace kevolve::worker {

class Evaluator {
 public:
  explicit Evaluator(DevicePlaces places) : places_(std::move(places)) {}

  /// For tests: takes this device instead of opening one of its name.
  void adopt_device(std::unique_ptr<devices::Device> device);

  /// Opens the device on first use. Thread-safe.
  Result<devices::Device*> device(const std::string& name);

  /// Gates of Phase::ahead, for the candidate and for what it is compared with. Thread-safe.
  Result<Trial> prepare(const EvaluateRequest& request);

  /// Gates of Phase::alone, and the whole record. One thread.
  Result<Evaluation> finish(Trial trial);

  Result<AdmissionReply> admit(const AdmitRequest& request);

 private:
  Result<std::shared_ptr<const Operator>> parse(const Json& document);
  Result<judge::Judge*> judge(const Operator& op, int threads, devices::Memory& memory,
                              const judge::PackagePlace& packages);
  [[nodiscard]] judge::PackagePlace packages(const DeviceInfo& device) const;
  void log_left_out(const std::string& baseline, const std::string& why);
  DrawPool& draws(devices::Device& device);
  TimingBench& bench(const Trial& trial, judge::Judge& judge, const std::string& family);
  /// Gives the trial what the gates of Phase::alone need.
  Result<void> convene(Trial& trial);

  const DevicePlaces places_;
  std::mutex mutex_;  // of devices_ and operators_
  std::map<std::string, std::unique_ptr<devices::Device>> devices_;
  std::map<std::string, std::shared_ptr<const Operator>> operators_;  // by hash of the document
  devices::HostMemory host_;                                          // where operators are admitted
  std::map<std::string, std::unique_ptr<judge::Judge>> judges_;       // by place and hash of the document
  std::map<const devices::Device*, DrawPool> draws_;
  struct Bench {
    std::string key;
    TimingBench bench;
  };
  std::list<Bench> benches_;    ///< the most recently used first; after judges_, which they refer to
  std::set<std::string> said_;  // reasons that the log has
};

}  // namespace kevolve::worker
