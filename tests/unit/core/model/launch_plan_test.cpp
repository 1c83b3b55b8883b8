#include "core/model/launch_plan.hpp"

#include <functional>

#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

const DeviceLimits kLimits{.num_sms = 4, .max_threads_per_block = 1024, .max_shared_bytes = 1000};

tl::expected<LaunchPlan, Verdict> resolve_header(const Json& json, const Bindings& tunables = {},
                                                 const Json& document = fixture::operator_document(),
                                                 const DeviceLimits& limits = kLimits) {
  const Operator op = *parse_operator(document, "operator.json");
  const auto header = parse_candidate(fixture::source(json), op, "a.cu");
  INFO((header ? "" : header.error().message));
  REQUIRE(header);
  return resolve(*header, op, op.workload("small")->axes, tunables, limits);
}

using Macros = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a plan has everything a runner needs") {
  const auto plan = resolve_header(fixture::header(), {{"VEC", 4}});
  REQUIRE(plan);
  REQUIRE(plan->buffers.size() == 4);
  CHECK(plan->buffers[0].name == "x");
  CHECK(plan->buffers[0].elements == 3 * 64);
  CHECK(plan->buffers[0].role == BufferRole::input);
  CHECK(plan->buffers[1].name == "weight");
  CHECK(plan->buffers[2].name == "y");
  CHECK(plan->buffers[2].fill == Fill::zero);
  CHECK(plan->buffers[3].role == BufferRole::scratch);
  CHECK(plan->buffers[3].size_bytes() == 64 * 4 * 2);
  CHECK(plan->buffers[3].alignment_bytes == 128);
  CHECK(plan->buffer_index("packed") == 3);
  CHECK(plan->buffer_index("nothing") == -1);
  CHECK(plan->prepare.size() == 1);
  const PlannedLaunch& launch = plan->launches.at(0);
  CHECK(launch.grid == std::array<std::int64_t, 3>{3, 2, 1});
  CHECK(launch.block == std::array<std::int64_t, 3>{32, 4, 1});
  CHECK(launch.cluster == std::array<std::int64_t, 3>{1, 2, 1});
  CHECK(launch.shared_bytes == 128);
  CHECK(launch.max_registers == 64);
  CHECK(launch.cooperative);
  CHECK(std::get<PlannedPointer>(launch.arguments[1]).buffer == 3);
  CHECK(std::get<PlannedInteger>(launch.arguments[3]).value == 3);
  CHECK(std::get<PlannedInteger>(launch.arguments[4]).value == 64 * 4);
  CHECK(std::get<PlannedReal>(launch.arguments[5]).value == 0.5);
}

TEST_CASE("constant axes, scalars and tunables are macros, variable axes are not") {
  const auto plan = resolve_header(fixture::header(), {{"VEC", 4}});
  REQUIRE(plan);
  CHECK(plan->macros ==
        Macros{
            {"N", "64"}, {"EPS", "1e-05f"}, {"COUNT", "7"}, {"BLOCK", "32"}, {"VEC", "4"}, {"NUM_SMS", "4"}});
}

TEST_CASE("the device's number of SMs is a macro, so that plans for other devices compile anew") {
  const auto plan = resolve_header(fixture::header());
  DeviceLimits larger = kLimits;
  larger.num_sms = 132;
  const auto other = resolve_header(fixture::header(), {}, fixture::operator_document(), larger);
  REQUIRE(plan);
  REQUIRE(other);
  CHECK(plan->macros.back() == std::pair<std::string, std::string>{"NUM_SMS", "4"});
  CHECK(other->macros.back() == std::pair<std::string, std::string>{"NUM_SMS", "132"});
}

TEST_CASE("macro literals keep value and type") {
  Json document = fixture::operator_document();
  document["scalars"] =
      *parse_json(R"json({ "ONE": { "dtype": "f32", "value": 1 }, "TENTH": { "dtype": "f64", "value": 0.1 },
    "BIG": { "dtype": "f32", "value": 1e20 }, "LONG": { "dtype": "i64", "value": 5 }, "LOW": { "dtype": "i32", "value": -5 },
    "EPS": { "dtype": "f32", "value": 0.1 } })json",
                  "scalars");
  Json json = fixture::header();
  json["tunables"]["WIDE"] = {std::int64_t{3000000000}};
  json["tunables"]["LEAST"] = {std::numeric_limits<std::int64_t>::min()};
  const auto plan = resolve_header(json, {}, document);
  REQUIRE(plan);
  CHECK(plan->macros == Macros{{"N", "64"},
                               {"ONE", "1.0f"},
                               {"TENTH", "0.1"},
                               {"BIG", "1e+20f"},
                               {"LONG", "5LL"},
                               {"LOW", "-5"},
                               {"EPS", "0.1f"},
                               {"BLOCK", "32"},
                               {"LEAST", "(-9223372036854775807LL-1)"},
                               {"VEC", "1"},
                               {"WIDE", "3000000000LL"},
                               {"NUM_SMS", "4"}});
}

TEST_CASE("an unmet constraint is not applicable, with the values that broke it") {
  Json json = fixture::header();
  json["constraints"] = {"N % VEC == 0", "B * BLOCK > 100"};
  const auto plan = resolve_header(json);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().outcome == Outcome::not_applicable);
  CHECK(plan.error().gate == Gate::policy);
  CHECK(plan.error().evidence == "constraints[1]: \"B * BLOCK > 100\" does not hold with B = 3, BLOCK = 32.");
  CHECK(resolve_header(json, {{"BLOCK", 64}}));
}

struct BadPlan {
  std::function<void(Json&)> change;
  std::string evidence;
};

TEST_CASE("what cannot be launched is a launch error that says why") {
  const std::vector<BadPlan> cases = {
      {[](Json& h) { h["launches"][0]["grid"][0] = "B - 3"; },
       "launches[0].grid[0]: \"B - 3\" is 0; expected 1 to 2147483647."},
      {[](Json& h) { h["launches"][0]["grid"][0] = 2147483648; },
       "launches[0].grid[0]: \"2147483648\" is 2147483648; expected 1 to 2147483647."},
      {[](Json& h) { h["launches"][0]["grid"][1] = 65536; },
       "launches[0].grid[1] is 65536; expected at most 65535 (only x may be larger)."},
      {[](Json& h) { h["launches"][0]["grid"][0] = "N / (B - 3)"; },
       "launches[0].grid[0]: division by zero: 64 / 0; in \"N / (B - 3)\"."},
      {[](Json& h) { h["launches"][0]["block"] = {1025}; },
       "launches[0].block[0]: \"1025\" is 1025; expected 1 to 1024."},
      {[](Json& h) {
         h["launches"][0]["block"] = {32, 33};
       },
       "launches[0].block is 32 x 33 x 1 = 1056 threads; expected at most 1024."},
      {[](Json& h) {
         h["launches"][0]["block"] = {1, 1, 65};
       },
       "launches[0].block[2] is 65; expected at most 64."},
      {[](Json& h) { h["launches"][0]["shared_bytes"] = 1001; },
       "launches[0].shared_bytes: \"1001\" is 1001; expected 0 to 1000."},
      {[](Json& h) { h["launches"][0]["shared_bytes"] = "-1"; },
       "launches[0].shared_bytes: \"-1\" is -1; expected 0 to 1000."},
      {[](Json& h) { h["launches"][0]["max_registers"] = 256; },
       "launches[0].max_registers: \"256\" is 256; expected 1 to 255."},
      {[](Json& h) {
         h["launches"][0]["cluster"] = {3, 3, 2};
       },
       "launches[0].cluster is 3 x 3 x 2 blocks; expected at most 16."},
      {[](Json& h) { h["launches"][0]["cluster"] = {2}; },
       "launches[0].grid[0] is 3; expected a multiple of cluster[0], which is 2."},
      {[](Json& h) {
         h["launches"][0]["args"][3] = {{"i32", "N * 100000000"}};
       },
       "launches[0].args[3].i32: \"N * 100000000\" is 6400000000; expected -2147483648 to 2147483647."},
      {[](Json& h) { h["scratch"]["packed"]["elements"] = 0; },
       "scratch.packed.elements: \"0\" is 0; expected 1 to 1099511627776."},
      {[](Json& h) { h["prepare"][0]["grid"] = {0}; },
       "prepare[0].grid[0]: \"0\" is 0; expected 1 to 2147483647."},
  };
  for (const BadPlan& bad : cases) {
    Json json = fixture::header();
    bad.change(json);
    const auto plan = resolve_header(json);
    INFO(bad.evidence);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().outcome == Outcome::launch_error);
    CHECK(plan.error().gate == Gate::policy);
    CHECK(plan.error().evidence == bad.evidence);
  }
}

TEST_CASE("tunables must be among those declared, those not chosen take their default") {
  const auto other_value = resolve_header(fixture::header(), {{"VEC", 2}});
  REQUIRE_FALSE(other_value);
  CHECK(other_value.error().evidence == "The tunable VEC is 2; expected one of [1,4].");
  const auto other_name = resolve_header(fixture::header(), {{"BLOK", 32}});
  REQUIRE_FALSE(other_name);
  CHECK(other_name.error().evidence ==
        "Unknown tunable 'BLOK'; did you mean 'BLOCK'? known tunables: BLOCK, VEC.");
}

TEST_CASE("an axis without a value is refused") {
  const Operator op = fixture::scale();
  const auto header = parse_candidate(fixture::source(fixture::header()), op, "a.cu");
  const auto plan = resolve(*header, op, {{"N", 64}}, {}, kLimits);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().evidence == "The axis B has no value; expected one for every axis.");
}

Json with_tensor_map(const Json& map) {
  Json json = fixture::header();
  json["launches"][0]["args"][0] = {{"tensor_map", map}};
  return json;
}

TEST_CASE("tensor maps lie within their buffer and the hardware's limits") {
  const Json good =
      *parse_json(R"json({ "tensor": "x", "dims": ["N", "B"], "strides_bytes": ["4 * N"], "box": [32, 2],
                                     "swizzle": "128B" })json",
                  "map");
  const auto plan = resolve_header(with_tensor_map(good));
  REQUIRE(plan);
  const auto& map = std::get<PlannedTensorMap>(plan->launches[0].arguments[0]);
  CHECK(map.buffer == 0);
  CHECK(map.dtype == DType::f32);
  CHECK(map.dims == std::vector<std::int64_t>{64, 3});
  CHECK(map.strides_bytes == std::vector<std::int64_t>{256});
  CHECK(map.swizzle == "128B");
  CHECK(map.out_of_bounds == "zero");

  const auto evidence = [&](const char* key, const Json& value) {
    Json changed = good;
    changed[key] = value;
    const auto refused = resolve_header(with_tensor_map(changed));
    REQUIRE_FALSE(refused);
    return refused.error().evidence;
  };
  const std::string field = "launches[0].args[0].tensor_map";
  CHECK(evidence("dims", {"N", 4}) ==
        field + ": dims and strides_bytes reach over 1024 bytes; expected at most the 768 bytes of 'x'.");
  CHECK(evidence("strides_bytes", {264}) == field + ".strides_bytes[0] is 264; expected a multiple of 16.");
  CHECK(evidence("box", {3, 2}) ==
        field + ".box[0] is 3 elements = 12 bytes; expected a multiple of 16 bytes.");
  CHECK(evidence("box", {512, 1}) == field + ".box[0]: \"512\" is 512; expected 1 to 256.");
}

TEST_CASE("plans survive their JSON form") {
  const auto map = *parse_json(R"json({ "tensor": "x", "dims": ["N"], "box": [32] })json", "map");
  for (const Json& json : {fixture::header(), with_tensor_map(map)}) {
    const auto plan = resolve_header(json);
    REQUIRE(plan);
    const Json written = to_json(*plan);
    const auto read = launch_plan_from_json(*parse_json(written.dump(), "plan"));
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    CHECK(to_json(*read) == written);
    CHECK(read->launches[0].arguments.size() == plan->launches[0].arguments.size());
    CHECK(read->macros == plan->macros);
    CHECK(std::get<PlannedReal>(read->launches[0].arguments[6]).value == 0.1);
    CHECK(read->buffers[3].fill == Fill::zero);
  }
}

TEST_CASE("a plan from outside is checked before anybody indexes with it") {
  const Json good = to_json(*resolve_header(fixture::header()));
  const auto error = [&](const std::function<void(Json&)>& change) {
    Json json = good;
    change(json);
    const auto plan = launch_plan_from_json(json);
    REQUIRE_FALSE(plan);
    return plan.error().message;
  };
  CHECK(error([](Json& p) { p["launches"][0]["args"][0]["buffer"] = 4; }) ==
        "plan.launches[0].args[0].buffer: found 4; expected the index of one of 4 buffers");
  CHECK(error([](Json& p) { p["prepare"][0]["args"][0]["buffer"] = -1; }) ==
        "plan.prepare[0].args[0].buffer: found -1; expected the index of one of 4 buffers");
  CHECK(error([](Json& p) {
          p["launches"][0]["grid"] = {1, 2};
        }) == "plan.launches[0].grid: found [1,2]; expected an array of 3 integers");
  CHECK(error([](Json& p) { p["buffers"][0]["role"] = "inptu"; }) ==
        "plan.buffers[0].role: found \"inptu\"; expected input, output or scratch");
  CHECK(error([](Json& p) { p.erase("macros"); }) == "plan: missing key 'macros'");
  CHECK(error([](Json& p) { p["macros"][0] = "N"; }) ==
        "plan.macros[0]: expected [name, value], both strings");
  CHECK(error([](Json& p) { p["launches"][0]["gird"] = 1; }) ==
        "plan.launches[0]: unknown key 'gird'; did you mean 'grid'? known keys: args, block, cluster, "
        "cooperative, grid, "
        "kernel, max_registers, shared_bytes");
  CHECK(launch_plan_from_json(Json(3)).error().message == "plan: found 3; expected an object");
}

}  // namespace
}  // namespace kevolve
