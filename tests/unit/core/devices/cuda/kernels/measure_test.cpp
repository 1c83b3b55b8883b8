// Comparisons by kernels, against the host's: the same verdicts, figures and words.

#include <cmath>
#include <limits>
#include <random>

#include "core/gates/host_examination.hpp"
#include "tests/unit/core/devices/cuda/kernels/memories.hpp"

namespace kevolve {
using namespace cuda;
using namespace gates;
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A tensor of one type with oracle, PyTorch's answer and response, all random, and an answer to change.
struct Case {
  DType dtype;
  std::vector<std::int64_t> shape;
  std::size_t count = 1;
  std::vector<double> oracle, response;
  std::vector<std::byte> torch, answer;
  Expectation expected;

  Case(DType type, std::vector<std::int64_t> sizes, unsigned seed) : dtype(type), shape(std::move(sizes)) {
    for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    torch.resize(count * size_bytes(dtype));
    for (std::size_t i = 0; i < count; ++i) {
      const double value = is_floating(dtype) ? normal(random) * std::exp2(normal(random))
                                              : static_cast<double>(random() % 100);
      oracle.push_back(value);
      response.push_back(std::abs(normal(random)) * unit_roundoff(dtype));
      store(dtype, torch.data(), i, value * (1 + 3 * unit_roundoff(dtype) * normal(random)));
      // Integers must be right to begin with.
      if (!is_floating(dtype)) store(dtype, torch.data(), i, value);
    }
    answer = torch;
    view();
  }
  Case(const Case&) = delete;

  void view() { expected = {"y", "normal", shape, {dtype, torch.data(), count}, oracle, {}}; }
  void set(std::size_t i, double value) { store(dtype, answer.data(), i, value); }
  [[nodiscard]] double at(std::size_t i) const { return elements().at(i); }
  [[nodiscard]] Elements elements() const { return {dtype, answer.data(), count}; }
};

/// A case in the GPU's memory. Its response is asked of the GPU's memory too.
struct OnGpu {
  Uploaded torch, answer;
  std::shared_ptr<std::byte> oracle, response;
  Expectation expected;

  OnGpu(Memories& m, const Case& c)
      : torch(m, c.expected.torch),
        answer(m, c.elements()),
        oracle(m.upload(c.oracle.data(), 8 * c.count)),
        response(m.upload(c.response.data(), 8 * c.count)),
        expected(c.expected) {
    expected.torch = torch.view;
    expected.oracle = {reinterpret_cast<const double*>(oracle.get()), c.count};
  }
  OnGpu(const OnGpu&) = delete;

  [[nodiscard]] std::span<const double> responses() const {
    return {reinterpret_cast<const double*>(response.get()), expected.oracle.size()};
  }
  Comparison compare(Memories& m, PrecisionClass required = PrecisionClass::strict_fp32,
                     std::optional<std::uint8_t> poison = {}) const {
    return m.cuda.compare(expected, answer.view, required, poison);
  }
};

void check_same(const Comparison& cuda, const Comparison& host) {
  CHECK(cuda.precision == host.precision);
  CHECK(cuda.wrong == host.wrong);
  CHECK(cuda.unwritten == host.unwritten);
  CHECK(cuda.evidence == host.evidence);
  if (std::isinf(host.needed_allowance)) {
    CHECK(cuda.needed_allowance == host.needed_allowance);
  } else {
    CHECK(cuda.needed_allowance == Approx(host.needed_allowance).epsilon(1e-12));
  }
  const Accuracy &a = cuda.accuracy, &b = host.accuracy;
  CHECK(a.worst_draw == b.worst_draw);
  CHECK(a.max_error == Approx(b.max_error).epsilon(1e-12));
  CHECK(a.norm_error == Approx(b.norm_error).epsilon(1e-12));
  CHECK(a.torch_max_error == Approx(b.torch_max_error).epsilon(1e-12));
  CHECK(a.torch_norm_error == Approx(b.torch_norm_error).epsilon(1e-12));
}

/// Under both memories, with and without the response; returns the host's, without.
Comparison check(Memories& m, Case& c, PrecisionClass required = PrecisionClass::strict_fp32,
                 std::optional<std::uint8_t> poison = {}) {
  CAPTURE(name(c.dtype), c.shape);
  c.view();
  OnGpu gpu(m, c);
  const Comparison host = m.host.compare(c.expected, c.elements(), required, poison);
  check_same(gpu.compare(m, required, poison), host);
  Expectation responded = c.expected;
  responded.response = c.response;
  gpu.expected.response = gpu.responses();
  check_same(gpu.compare(m, required, poison), m.host.compare(responded, c.elements(), required, poison));
  return host;
}

/// Rows shorter than a tile's least, as long as a tile, longer, of several tiles, and no rows at all.
const std::vector<std::vector<std::int64_t>> kShapes{
    {}, {1}, {7}, {5, 37}, {70, 1}, {3, 63}, {7, 64}, {2, 3, 100}, {3, 4096}, {2, 4097}, {10007}};

using Change = std::function<void(Case&, std::mt19937&)>;
const std::vector<std::pair<std::string, Change>> kChanges{
    {"none", [](Case&, std::mt19937&) {}},
    {"one element",
     [](Case& c, std::mt19937& random) {
       const std::size_t i = random() % c.count;
       c.set(i, c.at(i) * 1.02 + 1e-3);
     }},
    {"the first and the last", [](Case& c, std::mt19937&) { c.set(0, -7), c.set(c.count - 1, -7); }},
    {"zeros",
     [](Case& c, std::mt19937&) {
       for (std::size_t i = 0; i < c.count; i += 2) c.set(i, 0);
     }},
    {"a factor",
     [](Case& c, std::mt19937&) {
       for (std::size_t i = 0; i < c.count; ++i) c.set(i, c.at(i) * 1.5);
     }},
    {"a shift",
     [](Case& c, std::mt19937&) {
       for (std::size_t i = 0; i + 1 < c.count; ++i) c.set(i, c.at(i + 1));
     }},
    {"infinities, NaN and overflow",
     [](Case& c, std::mt19937& random) {
       for (const double value : {kInf, -kInf, kNan, 1e305}) {
         const std::size_t i = random() % c.count;
         c.oracle[i] = value;
         store(c.dtype, c.torch.data(), i, value);
         if (random() % 4 != 0) c.set(i, value);
       }
       c.response[random() % c.count] = kInf;
       if (random() % 2 == 0) c.set(random() % c.count, kNan);
     }},
    {"unwritten",
     [](Case& c, std::mt19937& random) {
       for (std::size_t n = 0; n < c.count / 3 + 1; ++n) {
         const std::size_t i = random() % c.count;
         std::memset(c.answer.data() + i * size_bytes(c.dtype), 0xFB, size_bytes(c.dtype));
       }
     }},
    {"zero oracle",
     [](Case& c, std::mt19937&) {
       for (double& value : c.oracle) value = 0;
     }},
};

}  // namespace

TEST_CASE("comparisons of numbers are the host's") {
  Memories m;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    for (const auto& shape : kShapes) {
      std::mt19937 random(11);
      for (const auto& [what, change] : kChanges) {
        Case c(dtype, shape, 21);
        change(c, random);
        CAPTURE(what);
        check(m, c, PrecisionClass::strict_fp32, 0xFB);
      }
    }
  }
}

TEST_CASE("comparisons of integers and booleans are the host's") {
  Memories m;
  for (const DType dtype : {DType::i32, DType::i64, DType::u8, DType::boolean}) {
    for (const auto& shape : kShapes) {
      std::mt19937 random(12);
      for (const auto& [what, change] : kChanges) {
        if (what.find("infinities") != std::string::npos) continue;
        Case c(dtype, shape, 22);
        change(c, random);
        CAPTURE(what);
        check(m, c, PrecisionClass::exact, 0xFB);
      }
    }
  }
}

TEST_CASE("classes of precision are the host's") {
  Memories m;
  const int bits = GENERATE(24, 20, 16, 13, 10, 6);
  Case c(DType::f32, {9, 500}, 31);
  std::mt19937 random(32);
  std::uniform_real_distribution<double> rounding(-1, 1);
  for (std::size_t i = 0; i < c.count; ++i) c.set(i, c.oracle[i] * (1 + std::exp2(-bits) * rounding(random)));
  CAPTURE(bits);
  check(m, c);
  for (std::size_t i = 0; i < c.count; ++i) c.set(i, c.oracle[i]);
  CHECK(check(m, c).precision == PrecisionClass::exact);
  const std::size_t at =
      500 * (std::size_t{24} - static_cast<std::size_t>(bits)) / 3 + 7;  // in several warps
  c.set(at, c.oracle[at] * (1 + 0x1p-22));
  CHECK(check(m, c).precision == PrecisionClass::strict_fp32);
}

TEST_CASE("an error that is everywhere is seen by the norm") {
  Memories m;
  Case c(DType::f32, {32, 200}, 41);
  for (std::size_t i = 0; i < c.count; ++i) {
    store(c.dtype, c.torch.data(), i, c.oracle[i]);
    c.set(i, c.oracle[i] * (1 + 112 * 0x1p-24));
  }
  const Comparison result = check(m, c);
  CHECK(result.wrong == 0);
  CHECK_FALSE(result.right());
}

TEST_CASE("fp32 noise in 16-bit outputs is allowed as on the host") {
  Memories m;
  const DType dtype = GENERATE(DType::f16, DType::bf16);
  const double units = GENERATE(20.0, 120.0, 170.0, 1000.0);
  Case c(dtype, {32, 200}, 91);
  std::fill(c.response.begin(), c.response.end(), 0x1p-24);
  for (std::size_t i = 0; i < c.count; ++i) {
    const bool cancels = i % 9 == 0;
    if (cancels) c.oracle[i] *= 1e-9;
    store(dtype, c.torch.data(), i, c.oracle[i]);  // its only noise is its rounding
    c.set(i, c.oracle[i] + (cancels ? units * 0x1p-24 : 0));
  }
  CAPTURE(units);
  check(m, c);
  Expectation responded = c.expected;
  responded.response = c.response;
  const Comparison host = m.host.compare(responded, c.elements(), PrecisionClass::fp16, {});
  CHECK(host.right() == (units < 128));  // beyond, at most 12 units of noise and 12 of the least step
}

TEST_CASE("a transposed answer is described as on the host") {
  Memories m;
  for (const auto& shape : {std::vector<std::int64_t>{40, 40}, std::vector<std::int64_t>{30, 50}}) {
    Case c(DType::f32, shape, 51);
    const std::vector<double> right = c.oracle;
    const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
    for (std::size_t i = 0; i < c.count; ++i) c.set(i, right[(i % rows) * columns + i / rows]);
    CHECK(check(m, c).evidence.find("looks transposed") != std::string::npos);
  }
}

TEST_CASE("of many wrong elements a sample in order tells the pattern, as on the host") {
  Memories m;
  Case c(DType::f32, {300, 700}, 61);  // more than three times what is sampled
  for (std::size_t i = 0; i < c.count; ++i) c.set(i, c.at(i) * 2);
  const Comparison result = check(m, c);
  CHECK(result.wrong > 3 * kMostSampled);
  CHECK(result.evidence.find("constant factor 2.") != std::string::npos);
}

TEST_CASE("wrong elements are summed up and sampled as on the host") {
  Memories m;
  GpuExamination cuda(m.queue);
  HostExamination host;
  std::mt19937 random(65);
  for (const DType dtype : {DType::f32, DType::u8}) {
    for (const std::size_t one_in : {1, 2, 5, 1000}) {
      Case c(dtype, {300, 700}, 66);
      for (std::size_t i = 0; i < c.count; ++i) {
        if (random() % one_in == 0) c.set(i, 100 + static_cast<double>(random() % 100));
      }
      const OnGpu gpu(m, c);
      const Wrong a = cuda.find_wrong(gpu.expected, gpu.answer.view, 128, std::uint8_t{110});
      const Wrong b = host.find_wrong(c.expected, c.elements(), 128, std::uint8_t{110});
      CAPTURE(name(dtype), one_in, b.count);
      CHECK(a.count == b.count);
      CHECK(a.unwritten == b.unwritten);
      CHECK(a.worst == b.worst);
      CHECK(std::vector<std::size_t>{a.row_low, a.row_high, a.column_low, a.column_high} ==
            std::vector<std::size_t>{b.row_low, b.row_high, b.column_low, b.column_high});
      CHECK((a.sample == b.sample));
      for (const Side side : {Side::answer, Side::oracle, Side::torch}) {
        CHECK((cuda.look(gpu.expected, gpu.answer.view, side, b.sample) ==
               host.look(c.expected, c.elements(), side, b.sample)));
      }
    }
  }
}

TEST_CASE("noise kept of other tensors is not used") {
  Memories m;
  Case c(DType::f32, {8, 300}, 91), other(DType::f32, {8, 300}, 92);
  OnGpu first(m, c), second(m, other);
  first.compare(m);
  second.expected.noise = first.expected.noise;
  check_same(second.compare(m),
             m.host.compare(other.expected, other.elements(), PrecisionClass::strict_fp32, {}));
}

TEST_CASE("an answer in doubt asks for the response, and only then") {
  Memories m;
  Case c(DType::f32, {8, 300}, 71);
  for (double& value : c.response) value = 1e-3;
  int asked = 0;
  {
    OnGpu right(m, c);
    right.expected.observe_response = [&]() -> Result<std::span<const double>> {
      return ++asked, right.responses();
    };
    CHECK(right.compare(m).right());
    CHECK(asked == 0);
  }
  m.queue->launches.clear();
  for (std::size_t i = 0; i < c.count; ++i) c.set(i, c.at(i) + 1e-3);
  c.expected.observe_response = [&]() -> Result<std::span<const double>> { return c.response; };
  const Comparison host = m.host.compare(c.expected, c.elements(), PrecisionClass::strict_fp32, {});
  CHECK(host.right());
  OnGpu gpu(m, c);
  gpu.expected.observe_response = [&]() -> Result<std::span<const double>> {
    return ++asked, gpu.responses();
  };
  check_same(gpu.compare(m), host);
  check_same(gpu.compare(m), host);
  CHECK(asked == 2);
  CHECK(m.queue->launches["judge_observe"] == 2);  // without the response and with it, each once
}

TEST_CASE("figures are the same to the last bit in any order of threads") {
  Memories m;
  Case c(DType::f32, {11, 5000}, 81);
  std::mt19937 random(82);
  for (int n = 0; n < 400; ++n) c.set(random() % c.count, 3);
  std::vector<Comparison> results;
  for (const auto order : {simt::Order::forward, simt::Order::reverse, simt::Order::shuffled}) {
    m.queue->order = order;
    results.push_back(OnGpu(m, c).compare(m));
    CHECK(results.back().needed_allowance == results[0].needed_allowance);
    CHECK(results.back().accuracy.max_error == results[0].accuracy.max_error);
    CHECK(results.back().accuracy.norm_error == results[0].accuracy.norm_error);
    CHECK(results.back().accuracy.torch_norm_error == results[0].accuracy.torch_norm_error);
    CHECK(results.back().evidence == results[0].evidence);
  }
}

}  // namespace kevolve
