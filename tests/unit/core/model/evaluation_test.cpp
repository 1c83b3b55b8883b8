#include "core/model/evaluation.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include "tests/catch.hpp"

namespace kevolve {
namespace {

DeviceInfo device() {
  return {"cpu", "AMD EPYC, 2 threads", "x86_64", "", "g++ 12.2.0", "2.11.0+cu130", 2};
}

Evaluation full() {
  Evaluation evaluation;
  evaluation.verdict = {Outcome::wrong_precision, Gate::correctness, "Right within bf16 only."};
  evaluation.gate_ms = {{"policy", 0.1}, {"compile", 123.456789012345678}};
  evaluation.compile = CompileReport{"abc", 12345678901, true, "warning: unused", {{"rows.registers", 32}}};
  evaluation.precision = PrecisionClass::bf16;
  evaluation.accuracy =
      Accuracy{1.0 / 3, 1e-300, std::numeric_limits<double>::infinity(), std::nan(""), "impulse"};
  evaluation.measurements = {{"candidate", "warm", {1.1, 1.2, 0.1 + 0.2}, 1.1, 1.05, 1.25, {1980, 0, 1965.5}},
                             {"naive", "warm", {}, 2, 1, 3},
                             {"eager", "warm", {4}, 4, 3, 5, {}, "flash_attention, math"}};
  evaluation.profile = Profile{Regime::memory_bound,
                               {{"dram_pct", 91.5}, {"duration_us", 0.1 + 0.2}},
                               {"DRAM is busy.", "Move fewer bytes."},
                               "counters"};
  evaluation.witness = Witness{.launches = 1, .busy_us = 1.0 / 3, .span_us = 0.5};
  evaluation.prepare_us = 7.5;
  evaluation.speedup_low = 1.5;
  evaluation.speedup = 1.75;
  evaluation.floor_us = 0.25;
  evaluation.seed = "00ff";
  evaluation.device = device();
  return evaluation;
}

TEST_CASE("evaluations survive their JSON form, doubles to the last bit") {
  const Evaluation before = full();
  const auto json = parse_json(to_json(before).dump(), "evaluation");
  REQUIRE(json);
  const auto after = evaluation_from_json(*json);
  INFO((after ? "" : after.error().message));
  REQUIRE(after);
  CHECK(to_json(*after) == to_json(before));
  CHECK(after->verdict.outcome == Outcome::wrong_precision);
  CHECK(after->verdict.evidence == "Right within bf16 only.");
  CHECK(after->gate_ms == before.gate_ms);
  CHECK(after->compile->binary_bytes == 12345678901);
  CHECK(after->compile->resources.at("rows.registers") == 32);
  CHECK(after->precision == PrecisionClass::bf16);
  CHECK(after->accuracy->max_error == 1.0 / 3);
  CHECK(after->accuracy->norm_error == 1e-300);
  CHECK(std::isinf(after->accuracy->torch_max_error));
  CHECK(std::isnan(after->accuracy->torch_norm_error));
  CHECK(after->measurement("candidate")->samples_us == before.measurements[0].samples_us);
  CHECK(after->measurement("naive")->median_us == 2);
  CHECK(after->measurement("compile") == nullptr);
  CHECK(after->measurement("eager")->backend == "flash_attention, math");
  CHECK(after->measurement("naive")->backend.empty());
  CHECK(after->measurement("candidate")->sm_mhz == std::vector<double>{1980, 0, 1965.5});
  CHECK(after->measurement("naive")->sm_mhz.empty());
  REQUIRE(after->witness);
  CHECK(after->witness->busy_us == 1.0 / 3);
  REQUIRE(after->profile);
  CHECK(after->profile->regime == Regime::memory_bound);
  CHECK(after->profile->metrics == before.profile->metrics);
  CHECK(after->profile->advice == before.profile->advice);
  CHECK(after->profile->measured());
  CHECK(after->prepare_us == 7.5);
  CHECK(after->device.key() == device().key());
}

TEST_CASE("what was not learned stays absent") {
  const auto after = evaluation_from_json(to_json(Evaluation{}));
  REQUIRE(after);
  CHECK_FALSE(after->compile);
  CHECK_FALSE(after->precision);
  CHECK_FALSE(after->accuracy);
  CHECK_FALSE(after->prepare_us);
  CHECK_FALSE(after->profile);
  CHECK(after->measurements.empty());
}

TEST_CASE("a device's key tells apart every part of it") {
  const std::string key = device().key();
  CHECK(key == "cpu | AMD EPYC, 2 threads | x86_64 | driver - | g++ 12.2.0 | torch 2.11.0+cu130 | 2 SMs");
  const std::vector<std::function<void(DeviceInfo&)>> changes = {
      [](DeviceInfo& d) { d.name = "x"; },   [](DeviceInfo& d) { d.model = "x"; },
      [](DeviceInfo& d) { d.driver = "x"; }, [](DeviceInfo& d) { d.architecture = "x"; },
      [](DeviceInfo& d) { d.torch = "x"; },  [](DeviceInfo& d) { d.toolchain = "x"; },
      [](DeviceInfo& d) { d.num_sms = 3; }};
  for (const auto& change : changes) {
    DeviceInfo other = device();
    change(other);
    CHECK(other.key() != key);
  }
}

TEST_CASE("facts and rates travel with a device, and may be absent as in old archives") {
  DeviceInfo told = device();
  told.facts = {"AVX2.", "Caches."};
  told.memory_bytes_per_us = 60'000;
  CHECK(told.key() == device().key());
  const auto after = device_from_json(to_json(told));
  REQUIRE(after);
  CHECK(after->facts == told.facts);
  CHECK(after->memory_bytes_per_us == 60'000);
  CHECK_FALSE(to_json(device()).contains("facts"));
  const auto old = device_from_json(to_json(device()));
  REQUIRE(old);
  CHECK(old->facts.empty());
  Json wrong = to_json(told);
  wrong["facts"] = {1};
  CHECK_FALSE(device_from_json(wrong));
}

TEST_CASE("a broken evaluation names the field") {
  const auto error = [](const std::function<void(Json&)>& change) {
    Json json = to_json(full());
    change(json);
    const auto evaluation = evaluation_from_json(json);
    REQUIRE_FALSE(evaluation);
    return evaluation.error().message;
  };
  CHECK(error([](Json& e) { e["verdict"]["outcome"] = "fine"; }) ==
        "evaluation.verdict.outcome: found \"fine\"; expected the name of an outcome such as \"passed\"");
  CHECK(error([](Json& e) { e.erase("verdict"); }) == "evaluation: missing key 'verdict'");
  CHECK(error([](Json& e) { e["measurements"][1]["samples_us"][0] = "slow"; }) ==
        "evaluation.measurements[1].samples_us: found [\"slow\"]; expected an array of numbers");
  CHECK(error([](Json& e) { e["compile"]["cached"] = 1; }) ==
        "evaluation.compile.cached: found 1; expected true or false");
  CHECK(error([](Json& e) { e["speedup"] = nullptr; }) ==
        "evaluation.speedup: found null; expected a number, \"nan\", \"inf\" or \"-inf\"");
  CHECK(error([](Json& e) { e["device"]["num_sms"] = 1.5; }) ==
        "evaluation.device.num_sms: found 1.5; expected an integer");
  CHECK(error([](Json& e) { e["sped"] = 1; }).find("evaluation: unknown key 'sped'; did you mean 'seed'?") ==
        0);
}

}  // namespace
}  // namespace kevolve
